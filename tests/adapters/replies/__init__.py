"""What every vendor says on the wire: for the end of a request's path, how it is answered."""

from tests.adapters.replies import anthropic, bedrock, cohere, google_genai, mistral, ollama, openai
from tests.adapters.wire import Reply

REPLIES: dict[str, Reply] = {
    **mistral.REPLIES,
    **bedrock.REPLIES,
    **cohere.REPLIES,
    **google_genai.REPLIES,
    **ollama.REPLIES,
    **openai.REPLIES,
    **anthropic.REPLIES,
}
