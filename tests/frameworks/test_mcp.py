import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.frameworks.texts import ATTACK, PAGE
from tinyguardrail_sdk import Blocked, CheckFailed, Guard, GuardrailError, InputError
from tinyguardrail_sdk.adapters._mcp_messages import said
from tinyguardrail_sdk.adapters.mcp import awrap, middleware, wrap
from tinyguardrail_sdk.testing import ScriptedClassifier

WHY = "pip install 'tinyguardrail-sdk[mcp]'"
mcp: Any = pytest.importorskip("mcp", reason=WHY)
servers: Any = pytest.importorskip("mcp.server", reason=WHY)
types: Any = pytest.importorskip("mcp.types", reason=WHY)
NEW = hasattr(servers, "MCPServer")
only_new = pytest.mark.skipif(
    not NEW, reason="this version has no middleware: pip install 'mcp>=2'"
)
# Newer settings of Pydantic say so of the server in MCP 1.x.
pytestmark = pytest.mark.filterwarnings("ignore:Field 'lifespan' has an incomplete definition")


class Shop:
    """A server whose tool returns what it is asked for, and counts.

    Attributes:
        asked: The arguments that its tool was called with.
        said: What the tool and the other parts answer.
    """

    def __init__(self, said: str = "In France.", description: str = "Look up.", **options: Any):
        self.asked: list[str] = []
        made = servers.MCPServer if NEW else pytest.importorskip("mcp.server.fastmcp").FastMCP
        instructions = options.pop("instructions", "Ask about towns.")
        self.server = made("shop", instructions=instructions, **options)

        def look(city: str) -> str:
            self.asked.append(city)
            if city == "nowhere":
                raise OSError("no such town")
            return said

        def table(city: str) -> dict[str, str]:
            return {"town": city, "text": said}

        def picture() -> Any:
            return types.EmbeddedResource(
                type="resource",
                resource=types.TextResourceContents(uri="shop://page", text=said),
            )

        self.server.tool(description=description)(look)
        self.server.tool()(table)
        self.server.tool(structured_output=False)(picture)
        files: dict[str, Any] = {"page": ("text/plain", said), "file": ("text/csv", said.encode())}
        files |= {"zip": ("application/zip", b"PK"), "png": ("image/png", b"PNG")}
        for name, (kind, content) in files.items():
            self._serve(name, kind, content, description)
        self.server.prompt(name="greet", description="Greets.")(lambda: f"Say: {said}")

    def _serve(self, name: str, kind: str, content: Any, description: str) -> None:
        options = {"name": name, "mime_type": kind, "description": description}
        self.server.resource(f"shop://{name}", **options)(lambda: content)

    def connected(self) -> Any:
        if NEW:
            return mcp.Client(self.server)
        memory = pytest.importorskip("mcp.shared.memory")
        return memory.create_connected_server_and_client_session(self.server._mcp_server)


Act = Callable[[Any], Awaitable[Any]]
ACTS: dict[str, Act] = {
    "text": lambda client: client.call_tool("look", {"city": "Paris"}),
    "structured": lambda client: client.call_tool("table", {"city": "Paris"}),
    "embedded": lambda client: client.call_tool("picture", {}),
    "resource": lambda client: client.read_resource("shop://page"),
    "file": lambda client: client.read_resource("shop://file"),
    "prompt": lambda client: client.get_prompt("greet"),
}
every_act = pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)


def using(shop: Shop, act: Act, guard: Guard | None = None, **options: Any) -> Any:
    """Connect, act and return the result as data; what is raised inside comes out as itself."""

    async def go() -> Any:
        async with shop.connected() as client:
            try:
                if guard is not None:
                    wrap(client, guard, **options)
                return await act(client)
            except Exception as error:
                return error

    result = asyncio.run(go())
    if isinstance(result, Exception):
        raise result
    return result.model_dump(exclude={"meta"})


@every_act
def test_benign_results_are_as_without_a_guard(guard: Guard, act: Act) -> None:
    assert using(Shop(), act, guard) == using(Shop(), act)


@every_act
def test_an_attack_in_a_result_does_not_reach_the_client(guard: Guard, act: Act) -> None:
    with pytest.raises(Blocked):
        using(Shop(said=PAGE), act, guard)


def test_results_have_their_sources(guard: Guard, classifier: ScriptedClassifier) -> None:
    for act in ("text", "resource", "prompt"):
        using(Shop(), ACTS[act], guard)
    judged = [(str(source), text) for text, source in classifier.calls if "France" in text]
    assert judged == [
        ("tool", "In France."),
        ("document", "In France."),
        ("user", "Say: In France."),
    ]


@pytest.mark.parametrize("listing", ["list_tools", "list_resources"])
def test_a_poisoned_description_is_found(guard: Guard, listing: str) -> None:
    def act(client: Any) -> Any:
        return getattr(client, listing)()

    assert using(Shop(), act, guard) == using(Shop(), act)
    with pytest.raises(Blocked):
        using(Shop(description=PAGE), act, guard)


def test_poison_in_a_schema_is_found(guard: Guard) -> None:
    shop = Shop()

    def order(town: str = PAGE) -> str:
        return town

    shop.server.tool()(order)
    with pytest.raises(Blocked):
        using(shop, lambda client: client.list_tools(), guard)


@pytest.mark.parametrize(
    ("method", "result"),
    [
        ("tools/list", {"tools": [{"inputSchema": {"properties": {ATTACK: {"type": "string"}}}}]}),
        ("tools/call", {"content": [], "structuredContent": {ATTACK: 1}}),
        (
            "tools/call",
            {
                "content": [{"type": "text", "text": f"no {ATTACK[5:]}, no {ATTACK[:5]}"}],
                "structuredContent": {"words": [ATTACK[:5], ATTACK[5:]]},
            },
        ),
    ],
)
def test_poison_in_names_and_in_data_is_read(method: str, result: Any) -> None:
    texts = [text for _, text in said(method, result)]
    assert any(ATTACK in text.replace("\n", "") for text in texts)


def test_poisoned_instructions_are_found(guard: Guard) -> None:
    async def again(client: Any) -> Any:
        return await getattr(client, "session", client).initialize()

    # Of a new client they are known when it is wrapped; of an older one, at the handshake.
    with pytest.raises(Blocked):
        using(Shop(instructions=PAGE), again, guard)


def test_in_an_event_loop_instructions_are_judged_off_it(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(client: Any) -> Any:
        assert await awrap(client, guard) is await awrap(client, guard)
        return await ACTS["text"](client)

    async def again(client: Any) -> Any:
        await awrap(client, guard)
        return await getattr(client, "session", client).initialize()

    monkeypatch.delattr(Guard, "check_messages")
    using(Shop(instructions="fine"), act)
    with pytest.raises(Blocked):
        using(Shop(instructions=PAGE), again)


def test_an_attack_in_the_arguments_is_not_sent(guard: Guard) -> None:
    shop = Shop()
    with pytest.raises(Blocked):
        using(shop, lambda client: client.call_tool("look", {"city": ATTACK}), guard)
    assert shop.asked == []


def test_a_blocked_tool_result_can_be_replaced(guard: Guard) -> None:
    answer = using(Shop(said=PAGE), ACTS["text"], guard, tool_error="Not shown.")
    assert [each["text"] for each in answer["content"]] == ["Not shown."]
    assert answer.get("is_error", answer.get("isError")) is True
    with pytest.raises(Blocked):
        using(Shop(said=PAGE), ACTS["resource"], guard, tool_error="Not shown.")


def test_what_cannot_be_read_is_an_error(guard: Guard) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        using(Shop(), lambda client: client.read_resource("shop://zip"), guard)
    assert using(Shop(), lambda client: client.read_resource("shop://png"), guard)
    with pytest.raises(CheckFailed):
        using(Shop(said="explode"), ACTS["text"], guard)


def test_errors_of_the_server_pass_through(guard: Guard) -> None:
    def act(client: Any) -> Any:
        return client.call_tool("look", {"city": "nowhere"})

    assert using(Shop(), act, guard) == using(Shop(), act)
    with pytest.raises(Exception, match="(?i)unknown"):
        using(Shop(), lambda client: client.read_resource("shop://nothing"), guard)


def test_undo_restores_the_session(guard: Guard) -> None:
    async def act(client: Any) -> Any:
        with wrap(client, guard):
            pass
        return await ACTS["text"](client)

    assert "zebra" in str(using(Shop(said=PAGE), act))


def test_a_session_is_guarded_once(guard: Guard, classifier: ScriptedClassifier) -> None:
    async def act(client: Any) -> Any:
        assert wrap(client, guard) is wrap(client, guard)
        with pytest.raises(GuardrailError, match="guarded already"):
            wrap(client, Guard(classifier=classifier))
        with pytest.raises(GuardrailError, match="guarded already"):
            wrap(client, guard, tool_error="No.")
        return await ACTS["text"](client)

    using(Shop(instructions="fine"), act)
    assert [text for text, _ in classifier.calls].count("In France.") == 1


def test_other_objects_are_refused(guard: Guard) -> None:
    with pytest.raises(InputError, match="neither"):
        wrap(object(), guard)
    if NEW:
        with pytest.raises(InputError, match="async with"):
            wrap(mcp.Client(Shop().server), guard)


@only_new
@every_act
def test_a_guarded_server_answers_as_one_without(guard: Guard, act: Act) -> None:
    assert using(Shop(middleware=[middleware(guard)]), act) == using(Shop(), act)


@only_new
@pytest.mark.parametrize("act", [ACTS["text"], ACTS["structured"], ACTS["embedded"]])
def test_a_guarded_server_does_not_send_an_attack(guard: Guard, act: Act) -> None:
    answer = using(Shop(said=PAGE, middleware=[middleware(guard, tool_error="Not shown.")]), act)
    assert ([each["text"] for each in answer["content"]], answer["is_error"]) == (
        ["Not shown."],
        True,
    )


@only_new
@pytest.mark.parametrize("act", [ACTS["resource"], ACTS["file"], ACTS["prompt"]])
def test_a_guarded_server_refuses_other_attacks(guard: Guard, act: Act) -> None:
    with pytest.raises(mcp.MCPError, match="blocked: injection"):
        using(Shop(said=PAGE, middleware=[middleware(guard)]), act)


@only_new
def test_a_guarded_server_does_not_run_a_tool_with_an_attack(guard: Guard) -> None:
    shop = Shop(middleware=[middleware(guard)])
    answer = using(shop, lambda client: client.call_tool("look", {"city": ATTACK}))
    assert (answer["is_error"], shop.asked) == (True, [])
