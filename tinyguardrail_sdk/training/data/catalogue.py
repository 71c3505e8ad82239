"""Public data sets by name: where they live, what they are under, and how their rows are read.

Revisions are pinned. A SHA-256 stands where other projects publish one for the file at that
revision; none was computed here. Without one, the first fetch records it (see `lockfile`).
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyguardrail_sdk.labels import Source
from tinyguardrail_sdk.training.data.dataset import Dataset, RemoteFile, RowRule, Use
from tinyguardrail_sdk.training.data.pools import PAYLOAD_LABEL
from tinyguardrail_sdk.training.data.rules import (
    BENIGN,
    BINARY,
    INJECTION,
    JAILBREAK,
    NEURALCHEMY_RULE,
    PINT_RULE,
    S_LABS_RULE,
    WILDGUARD_RULE,
)

_HUB = "https://huggingface.co"
_RAW = "https://raw.githubusercontent.com"


def _hub(
    name: str, repository: str, revision: str, *files: RemoteFile, rule: RowRule,
    licence: str, terms: str = "permissive", use: Use = "training", language: str = "en",
    gated: bool = False, note: str = "",
) -> Dataset:  # fmt: skip
    home = f"{_HUB}/datasets/{repository}"
    base = f"{home}/resolve/{revision}"
    return Dataset(
        name, home, base, licence, terms, use, files, (rule,), language, gated, note
    )  # fmt: skip


def _git(
    name: str, repository: str, revision: str, *files: RemoteFile, rules: tuple[RowRule, ...],
    licence: str, terms: str = "permissive", use: Use = "evaluation", note: str = "",
) -> Dataset:  # fmt: skip
    home, base = f"https://github.com/{repository}", f"{_RAW}/{repository}/{revision}"
    return Dataset(name, home, base, licence, terms, use, files, rules, note=note)


_DEEPSET = ("deepset/prompt-injections", "4f61ecb038e9c3fb77e21034b22511b523772cdd")
_PIGUARD = ("leolee99/PIGuard", "1b5751e88bf7475acbedfc8eda795ce060307c84")
_BIPIA = ("microsoft/BIPIA", "a004b69ec0dd446e0afd461d98cb5e96e120a5d0")
_WILDGUARD = ("allenai/wildguardmix", "d29c47f41c8b51348b5c8e8c81c039b3132b66d1")
_NEURALCHEMY = (
    "neuralchemy/Prompt-injection-dataset", "7d70432dfcf47a821612cbf9d34e9d9e3ad20e75"
)  # fmt: skip
_S_LABS = ("S-Labs/prompt-injection-dataset", "002a9dd18514abd021869823d6b0429b38606d99")
_GANDALF = ("Lakera/gandalf_ignore_instructions", "04737b65e90a6794ec227012e4a255a7def6344b")
_GANDALF_SUMMARIES = (
    "Lakera/gandalf_summarization", "2741266d5eafab579dfc717a9684fe964339293b"
)  # fmt: skip
_ALL_INJECTION = "scored as its home labels them: every attack is called injection"
_GUARDSET_X = "AI-secure/PolyGuard"
_POLICIES = {
    "education": ("AAMC", "AI_FOR_EDUCATION", "COLLEGE_BOARD_AP", "CSU", "IB", "MCGOVERN_MED",
                  "NIU", "SAMPLE_AI_GUIDANCE_TOOLKIT", "UNESCO"),
    "hr": ("Adobe", "Amazon", "Apple", "ByteDance", "Google", "IBM", "Intel", "Meta", "Microsoft",
           "NVIDIA"),
}  # fmt: skip
_JBB_MODELS = ("gpt-3.5-turbo-1106", "gpt-4-0125-preview", "llama-2-7b-chat-hf", "vicuna-13b-v1.5")
_JBB_ATTACKS = {
    "DSN/white_box": _JBB_MODELS[2:],
    "GCG/transfer": _JBB_MODELS[:2],
    "GCG/white_box": _JBB_MODELS[2:],
    "JBC/manual": _JBB_MODELS,
    "PAIR/black_box": _JBB_MODELS,
    "prompt_with_random_search/black_box": _JBB_MODELS,
}


def _bipia(name: str, part: str, use: Use) -> Dataset:
    attacks = {kind: f"benchmark/{kind}_attack_{part}.json" for kind in ("text", "code")}
    carriers = (("email", "permissive", "text"), ("table", "share-alike", "text"),
                ("code", "share-alike", "code"))  # fmt: skip
    return _git(
        name,
        *_BIPIA,
        *(
            RemoteFile(f"benchmark/{kind}/{part}.jsonl", kind=kind, terms=terms, plant=attacks[way])
            for kind, terms, way in carriers
        ),
        *(RemoteFile(path) for path in attacks.values()),
        rules=(RowRule("context", BENIGN, source=Source.DOCUMENT),),
        licence="MIT; tables and code contexts CC-BY-SA-4.0",
        use=use,
        note="clean documents, and the same with one of its attacks planted",
    )


def _safe_and_unsafe(folder: str) -> Iterator[RemoteFile]:
    yield RemoteFile(f"{folder}/data_safe.jsonl", label=BENIGN)
    yield RemoteFile(f"{folder}/data_unsafe.jsonl", label=PAYLOAD_LABEL)


CATALOGUE: tuple[Dataset, ...] = (
    _hub(
        "deepset", *_DEEPSET,
        RemoteFile("data/train-00000-of-00001-9564e8b05b4757ab.parquet",
                   "2e10bc7ab30f542c97e4e83e2a5683000b5057d25ec10908784c631d44124c04"),
        rule=RowRule("text", label_from=("label",), labels=BINARY),
        licence="Apache-2.0", language="mul", note="English and German",
    ),
    _hub(
        "deepset-test", *_DEEPSET,
        RemoteFile("data/test-00000-of-00001-701d16158af87368.parquet",
                   "39ac797cabc157eeed58435a08593b2952bb6cb16fc394a2d383f447cc7b246e"),
        rule=RowRule("text", label_from=("label",), labels=BINARY),
        licence="Apache-2.0", language="mul", use="evaluation", note="English and German",
    ),
    _git(
        "notinject", *_PIGUARD,
        RemoteFile("datasets/NotInject_one.json",
                   "c77abbf3de71f99f0e12809a29d8468401285ef5353b53daa6d65131c866586c", kind="one"),
        RemoteFile("datasets/NotInject_two.json",
                   "325559cd1204fd3bdf0be82599fbf8ebbacdcd4949ae8b5bf67b399193d57c03", kind="two"),
        RemoteFile("datasets/NotInject_three.json",
                   "bc18f3ad38ad2380e57ae96d102b884af477989e2f3ff85fbc2271ed16b8db55",
                   kind="three"),
        rules=(RowRule("prompt", BENIGN),),
        licence="MIT", note="harmless prompts with trigger words",
    ),
    _git(
        "piguard-wildguard", *_PIGUARD,
        RemoteFile("datasets/wildguard.json",
                   "62a0f7331af19abdb43b027b815272777aac4c311b7fad25e4150618c5289f9b"),
        rules=(RowRule("prompt", BENIGN),),
        licence="MIT; prompts of WildGuardTest, ODC-BY", note="harmless, adversarially worded",
    ),
    _git(
        "piguard-valid", *_PIGUARD,
        RemoteFile("datasets/valid.json",
                   "e273fd455baac8785aa15bdc058adfd609f62ed0a3022963a5395ba95efe110e"),
        rules=(RowRule("prompt", label_from=("label",), labels=BINARY, kind_from="source"),),
        licence="MIT", note="attacks of several kinds, all called injection",
    ),
    _git(
        "jailbreakbench", "JailbreakBench/artifacts", "909e68c01d94222b8ad2e397a017e2e12e2adb73",
        *(RemoteFile(f"attack-artifacts/{attack}/{model}.json", kind=attack.split("/")[0])
          for attack, models in _JBB_ATTACKS.items() for model in models),
        rules=(RowRule("prompt", JAILBREAK, inside="jailbreaks"),),
        licence="MIT", note="few methods, many near copies",
    ),
    _hub(
        "jbb-behaviors", "JailbreakBench/JBB-Behaviors", "886acc352a31533ffbcf4ef22c744658688086fc",
        RemoteFile("data/harmful-behaviors.csv", label=PAYLOAD_LABEL, sha256=
                   "4a8ec6832056b631eb092dccc60d37a61c3d441268268888b3d006288afeffa1"),
        RemoteFile("data/benign-behaviors.csv", label=BENIGN, sha256=
                   "3cda234d21a991fa309bbfea4b6d9dae31ccdf8e9d452424b6a983e4fdc33468"),
        rule=RowRule("Goal", kind_from="Category"),
        licence="MIT", use="evaluation", note="plain requests; the harmful ones use no technique",
    ),
    _bipia("bipia", "test", "evaluation"),
    _bipia("bipia-train", "train", "training"),
    _git(
        "xstest", "paul-rottger/xstest", "d7bb5bd738c1fcbc36edd83d5e7d1b71a3e2d84d",
        RemoteFile("xstest_prompts.csv",
                   "11783fb294ed017473ee53c207d71f2161c7672c8d0b037501e78387f801cb5a"),
        rules=(RowRule("prompt", label_from=("label",), kind_from="type",
                       labels={"safe": BENIGN, "unsafe": PAYLOAD_LABEL}),),
        licence="CC-BY-4.0", note="harmless requests that sound harmful, and their opposites",
    ),
    _hub(
        "hackaprompt", "hackaprompt/hackaprompt-dataset",
        "25b87fbedfb86840abaf8cd09af7a029208a971a",
        RemoteFile("hackaprompt.parquet"),
        rule=RowRule("user_input", INJECTION, kind_from="level", where={"correct": "true"}),
        licence="MIT", language="mul", gated=True, note="attempts that worked",
    ),
    _git(
        "pint", "lakeraai/pint-benchmark", "0efab3f463eae9c823130d8faffb71b2e7c06e63",
        RemoteFile("benchmark/data/example-dataset.yaml"),
        rules=(PINT_RULE,), licence="MIT",
        note="only the public example; your own file of this form: --pint PATH",
    ),
    _git(
        "guardset-x", _GUARDSET_X, "74139e3cb423d7ab296e2b693ff08ec96d35c99f",
        *(file for domain, policies in _POLICIES.items() for policy in policies
          for file in _safe_and_unsafe(f"{domain}/results/{policy}")),
        rules=(RowRule("instance", kind_from="category"),),
        licence="none stated; CC-BY-4.0 by its copy on the hub", terms="none-stated",
        note="schools and work: breaches of policies, without a technique",
    ),
    _git(
        "guardset-x-social", _GUARDSET_X, "189852724531d78b67eb7340c839284c18aeeff6",
        *(file for platform in ("Discord", "Reddit", "Twitter")
          for file in _safe_and_unsafe(f"social_media/datagen/results/{platform}")),
        rules=(RowRule("instance", kind_from="category"),),
        licence="none stated; CC-BY-4.0 by its copy on the hub", terms="none-stated",
        note="three platforms: breaches of policies, without a technique",
    ),
    _git(
        "injecagent", "uiuc-kang-lab/InjecAgent", "f19c9f2c79a41046eb13c03c51a24c567a8ffa07",
        RemoteFile("data/test_cases_dh_base.json",
                   "0a8186468d21389af432e8c7b399ae42264d1b93a07b65c7a489468508604305"),
        RemoteFile("data/test_cases_ds_base.json",
                   "4daab35c62a3845e8b9400f4dca58b9c9f37e57cd33b2337552557fbb26282e9"),
        rules=(
            RowRule("Tool Response", INJECTION, kind_from="Attack Type", source=Source.TOOL),
            RowRule("Tool Response Template", BENIGN, without="<Attacker Instruction>",
                    source=Source.TOOL),
        ),
        licence="MIT", note="tool results with and without an attack",
    ),
    _hub(
        "or-bench", "bench-llm/or-bench", "e36d8b80e81837c8a8f264bbb2a49f1b32c7e272",
        RemoteFile("or-bench-hard-1k.csv",
                   "a6e2f1166416efe5901f3bb05c47dc92ab3aca3acfe143693d38b8057d841e6d"),
        rule=RowRule("prompt", BENIGN, kind_from="category"),
        licence="CC-BY-4.0", use="evaluation", note="harmless, seemingly toxic",
    ),
    _hub(
        "wildguardmix", *_WILDGUARD, RemoteFile("train/wildguard_train.parquet"),
        rule=WILDGUARD_RULE, licence="ODC-BY, with terms of responsible use", gated=True,
    ),
    _hub(
        "wildguardmix-test", *_WILDGUARD, RemoteFile("test/wildguard_test.parquet"),
        rule=WILDGUARD_RULE, licence="ODC-BY, with terms of responsible use", gated=True,
        use="evaluation",
    ),
    _hub(
        "gandalf", *_GANDALF,
        RemoteFile("data/train-00000-of-00001-ded53be747ff55cd.parquet",
                   "5b6acf3e5a5998d21f8e1222bb45bbdec25a14408747b1cd63bebef4a75fa439"),
        rule=RowRule("text", INJECTION), licence="MIT", note="players of a game; some label noise",
    ),
    _hub(
        "gandalf-test", *_GANDALF,
        RemoteFile("data/test-00000-of-00001-bc92128b9288a6d1.parquet",
                   "56b646d133335ebc535266bd55dbe1b5bee7caa4b95bf49d040684b9b5dd9972"),
        rule=RowRule("text", INJECTION), licence="MIT", use="evaluation",
        note="players of a game; some label noise",
    ),
    _hub(
        "gandalf-summaries", *_GANDALF_SUMMARIES,
        RemoteFile("data/train-00000-of-00001-44378fdb62cbf9b7.parquet"),
        rule=RowRule("text", INJECTION, source=Source.DOCUMENT), licence="MIT",
        note="114 texts that players gave to be summarised",
    ),
    _hub(
        "gandalf-summaries-test", *_GANDALF_SUMMARIES,
        RemoteFile("data/test-00000-of-00001-1696577a5023b698.parquet",
                   "cf63d8ee1a9a4c0ce45f53f2e6702d526cf35544bb4b4c86f746503923dc43b1"),
        rule=RowRule("text", INJECTION, source=Source.DOCUMENT), licence="MIT", use="evaluation",
        note="13 texts that players gave to be summarised",
    ),
    *(
        _hub(
            name, *_NEURALCHEMY, RemoteFile(f"core/{split}-00000-of-00001.parquet"),
            rule=NEURALCHEMY_RULE, licence="Apache-2.0", note=note,
        )
        for name, split, note in (
            ("neuralchemy", "train", "its own and collected; parts left out"),
            ("neuralchemy-validation", "validation", "to choose a model on, not to learn from"),
        )
    ),
    _hub(
        "neuralchemy-test", *_NEURALCHEMY,
        RemoteFile("full/test-00000-of-00001.parquet",  # that of `core`, with a published hash
                   "fb5432035fdd8453d61f6593bfe78ee2970403c5ea59959b642a6708e2bef670"),
        rule=RowRule("text", label_from=("label",), labels=BINARY, kind_from="category"),
        licence="Apache-2.0", use="evaluation", note=_ALL_INJECTION,
    ),
    _hub(
        "s-labs", *_S_LABS, RemoteFile("data/train.csv"),
        rule=S_LABS_RULE, licence="MIT", note="short; classes of attacks guessed by their words",
    ),
    _hub(
        "s-labs-validation", *_S_LABS,
        RemoteFile("data/validation.csv",
                   "c7d14d24a14dd30a37ebe0de928b8ccdcdf6639c3c2e830b59561e2dd5fb7b55"),
        rule=S_LABS_RULE, licence="MIT", note="to choose a model on, not to learn from",
    ),
    _hub(
        "s-labs-test", *_S_LABS,
        RemoteFile("data/test.csv",
                   "4c7a9f0fff2bf7d3f6d3e7b84863a8f5d6c48c70c3ac7fe874917074c8f27853"),
        rule=RowRule("text", label_from=("label",), labels=BINARY),
        licence="MIT", use="evaluation", note=_ALL_INJECTION,
    ),
    _hub(
        "llmail", "microsoft/llmail-inject-challenge", "1063bdf01ec8762b812d5e06ee768a06faa5a6f7",
        RemoteFile("data/labelled_unique_submissions_phase2.json",
                   "f89af984e345430c3b357903890e30867bf4676f4ef10c138cc7bad218e890b8"),
        rule=RowRule("text", kind_from="reason", label_from=("attack_attempt",),
                     labels={"true": INJECTION}, source=Source.DOCUMENT),
        licence="MIT", note="mails of a contest, 37,303 submissions and no harmless ones: cap them",
    ),
    _hub(
        "satml-ctf", "ethz-spylab/ctf-satml24", "11426babe61ee16b0efe7b55e0430359e0fc4235",
        RemoteFile("chat.json"),
        rule=RowRule("history", label_from=("was_successful_secret_extraction",),
                     labels={"true": INJECTION}, wordy="true"),
        licence="MIT", note="634 MB: chats of a contest, of them what got a secret out at once",
    ),
    _hub(
        "prompt-injections-mul", "yanismiraoui/prompt_injections",
        "f586306f81144389e2038e5f0db03eac39e13066",
        RemoteFile("prompt_injections.csv"),
        rule=RowRule("prompt_injections", INJECTION), licence="Apache-2.0", language="mul",
        note="leaks and overrides in seven languages",
    ),
    _hub(
        "jackhhao", "jackhhao/jailbreak-classification",
        "2f2ceeb39658696fd3f462403562b6eea5306287",
        RemoteFile("default/jailbreak_dataset_full.csv",
                   "79a7b90b0abe00e3586cc5048353c3236543cca228a1ee261fe3b57a7cb7e29f"),
        rule=RowRule("prompt", label_from=("type",),
                     labels={"benign": BENIGN, "jailbreak": JAILBREAK}),
        licence="Apache-2.0", note="jailbreaks are much longer: see `data audit`",
    ),
    _hub(
        "in-the-wild", "TrustAIRLab/in-the-wild-jailbreak-prompts",
        "a10aab8eff1c73165a442d4464dce192bd28b9c5",
        RemoteFile("jailbreak_2023_12_25/train-00000-of-00001.parquet",
                   "55bbc5e2be771ee16ed67aed4edb5ecef5f44ac69cea317a67e5405c5c6057a4"),
        rule=RowRule("prompt", JAILBREAK, kind_from="platform"), licence="MIT",
    ),
    _hub(
        "spml", "reshabhs/SPML_Chatbot_Prompt_Injection",
        "02ce8084e979bc7d4c24ee35d22ecb7f2db96ff5",
        RemoteFile("spml_prompt_injection.csv"),
        rule=RowRule("User Prompt", label_from=("Prompt injection",), labels=BINARY),
        licence="MIT", note="machine-made, of few patterns",
    ),
    _hub(
        "toxic-chat", "lmsys/toxic-chat", "29df8e4dba60e1f4af4b4075c0705c5b313548a8",
        RemoteFile("data/0124/toxic-chat_annotation_train.csv",
                   "702eb9b7cac96c3c35e28b9b95855a71f26f21afba8666f9d243f1fa469e81ed"),
        rule=RowRule("user_input", label_from=("jailbreaking", "toxicity"),
                     labels={"1/0": JAILBREAK, "1/1": JAILBREAK, "0/0": BENIGN,
                             "0/1": PAYLOAD_LABEL}),
        licence="CC-BY-NC-4.0", terms="non-commercial", language="mul", note="real users",
    ),
    _hub(
        "tensor-trust", "qxcv/tensor-trust", "4de2b2fe01ba0cb6fbf7cbb9f1a3fabaf8157372",
        RemoteFile("benchmarks/hijacking-robustness/v1/hijacking_robustness_dataset.jsonl",
                   kind="hijacking"),
        RemoteFile("benchmarks/extraction-robustness/v1/extraction_robustness_dataset.jsonl",
                   kind="extraction"),
        rule=RowRule("attack", INJECTION),
        licence="none stated", terms="none-stated", note="players of a game",
    ),
)  # fmt: skip
