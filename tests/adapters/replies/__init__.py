"""What every vendor says on the wire: for the end of a request's path, how it is answered."""

from tests.adapters.replies import anthropic, openai
from tests.adapters.wire import Reply

REPLIES: dict[str, Reply] = {**openai.REPLIES, **anthropic.REPLIES}
