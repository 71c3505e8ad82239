"""The core wording of `phrases` in eight more languages, and the marks of a faked chat template.

Rules in Latin script see text without accents. Those in Chinese, Hindi and Russian have no heads:
they are tried wherever their script occurs.
"""

from __future__ import annotations

import re

from tinyguardrail_sdk.detectors.rules import (
    EXFILTRATION,
    HIDDEN,
    LEAK,
    OVERRIDE,
    REFUSAL,
    ROLE,
    Rule,
    rule,
)

_TEMPLATE = "chat template tokens"


def _plain(score: float, reason: str, pattern: str) -> Rule:
    return Rule(frozenset(), re.compile(pattern, re.MULTILINE), score, reason)


_ORDERS_DE = (
    r"(?:\w{0,8}(?:anweisung|instruktion|regel|befehl|vorgabe|aufgabe|richtlinie)\w{0,3}|prompts?)"
)
_ORDERS_FR = r"(?:instructions?|consignes?|regles?|directives?|ordres?|taches?|prompts?)"
_ORDERS_ES = (
    r"(?:instruccion(?:es)?|ordenes|reglas?|indicacion(?:es)?|directrices|tareas?|prompts?)"
)
_ORDERS_PT = r"(?:instruc(?:oes|ao)|ordens|regras?|comandos?|diretrizes|tarefas?|prompts?)"
_DROP_FR = (
    r"(?:ignor(?:e|ez|er|es|ons)|oubli(?:e|ez|er|es|ons)|"
    r"neglige[rz]?|ne_(?:tiens|tenez)_pas_compte_d\w{1,3})"
)
_DROP_ES = (
    r"(?:ignor(?:a|e|ar|en|es|ad)|olvid(?:a|e|ar|en|ate|ese|es)|descart(?:a|e|ar)|omit(?:e|a|ir))"
)
_DROP_PT = r"(?:ignor(?:e|a|ar|em)|esquec(?:a|e|er|am)|desconsider(?:e|a|ar|em)|descart(?:e|a|ar))"

LATIN = (
    rule(
        "ignor vergi verge missa ubers umgeh",
        0.95,
        OVERRIDE,
        r"(?:ignorier\w{0,3}|vergiss|vergesst|vergessen_sie|missacht\w{0,3}|uberspring\w{0,3}|umgeh\w{0,3})"
        rf"~(?:\w{{0,4}}(?:vorherig|vorig|bisherig|obig|fruher|vorangegangen|ursprunglich|vorstehend)\w{{1,3}}"
        rf"|alle[rnms]?|samtliche\w?|deine|ihre|systems?)(?:~|_){_ORDERS_DE}",
    ),
    rule(
        "ignor vergi verge",
        0.7,
        OVERRIDE,
        r"(?:ignorier\w{0,3}|vergiss|vergessen_sie)_(?:alles|was)(?:_\w{1,12})?_(?:davor|bisher|zuvor|vorher|"
        r"oben|gesagt|du|sie|ich)",
    ),
    rule(
        "syste anwei instr regel",
        0.85,
        LEAK,
        r"(?:zeig\w{0,3}|gib|geben|nenn\w{0,3}|verrat\w{0,3}|wiederhol\w{0,3}|druck\w{0,3}|offenbar\w{0,3}|"
        r"was_(?:ist|sind|lautet|lauten))~(?:(?:deine?n?|ihre?n?|den|die)_)(?:\w{1,20}_)?"
        r"(?:system\W?(?:prompt|anweisung\w{0,2}|nachricht\w{0,2})|anweisungen|instruktionen)",
    ),
    rule(
        "einsc besch regel filte zensu gren grenz",
        0.45,
        ROLE,
        r"(?:ohne|keine|keinerlei)_(?:\w{1,15}_)?(?:einschrankung\w{0,2}|beschrankung\w{0,2}|regeln|filter|zensur|grenzen)",
    ),
    rule(
        "jetzt nun sofor",
        0.35,
        ROLE,
        r"(?:du_bist|sie_sind)_(?:jetzt|nun|ab_(?:jetzt|sofort))|ab_(?:jetzt|sofort)_(?:bist|wirst|antwort\w{1,4}|sind)",
    ),
    rule(
        "ignor oubli negli tiens tenez",
        0.95,
        OVERRIDE,
        rf"{_DROP_FR}(?:~|_)(?:toutes?|tous|vos|tes|mes|votre|ton)?(?:~|_){_ORDERS_FR}(?:_\w{{1,12}}){{0,2}}?_"
        r"(?:precedente?s?|anterieure?s?|ci\W?dessus|initiale?s?|du_systeme|systeme|donnee?s|recue?s)",
    ),
    rule(
        "ignor oubli negli",
        0.85,
        OVERRIDE,
        rf"{_DROP_FR}_(?:toutes?|tous)_(?:les|vos|tes|mes)_(?:\w{{1,15}}_)?{_ORDERS_FR}|{_DROP_FR}_tout_ce_qu\w{{0,2}}",
    ),
    rule(
        "promp instr invit syste consi",
        0.85,
        LEAK,
        r"(?:montre[rz]?|revele[rz]?|affiche[rz]?|repete[rz]?|donne[rz]?|imprime[rz]?|devoile[rz]?|quelles?_(?:sont|est)|"
        r"quel_est)~(?:prompt_(?:du_)?systeme|(?:prompt|invite|message)_(?:systeme|initiale?|cachee?|du_systeme|de_depart)"
        r"|(?:instructions|consignes)_(?:du_)?(?:systeme|initiales|cachees|secretes|d'origine)|(?:ton|votre)_prompt)",
    ),
    rule(
        "restr limit filtr censu",
        0.45,
        ROLE,
        r"sans_(?:aucune?_|la_moindre_)?(?:restrictions?|limites?|limitations?|filtres?|censure)",
    ),
    rule(
        "maint desor",
        0.35,
        ROLE,
        r"(?:tu_es|vous_etes)_(?:maintenant|desormais)|a_partir_de_maintenant|desormais_(?:tu|vous)",
    ),
    rule(
        "ignor olvid desca omite omiti omita",
        0.95,
        OVERRIDE,
        rf"{_DROP_ES}(?:~|_)(?:{_ORDERS_ES}(?:_\w{{1,12}}){{0,2}}?_(?:anterior(?:es)?|previas?|iniciales|de_arriba|"
        rf"del_sistema|originales|recibidas)|(?:todas|anteriores|previas|tus|sus)_(?:las_|mis_|tus_|sus_|\w{{1,12}}_)?{_ORDERS_ES})",
    ),
    rule("ignor olvid", 0.7, OVERRIDE, r"(?:ignor|olvid)\w{1,4}_todo_(?:lo|eso)"),
    rule(
        "promp instr mensa",
        0.85,
        LEAK,
        r"(?:muestr\w{1,5}|revel\w{1,4}|imprim\w{1,4}|repit\w{1,4}|dime|dame|ensen\w{1,5}|escrib\w{1,4}|cual(?:es)?_(?:es|son))~"
        r"(?:prompt_(?:del_|de_)?(?:sistema|inicial|secreto|oculto)|instrucciones_(?:del_sistema|iniciales|ocultas|secretas|"
        r"internas|originales)|mensaje_(?:del|de)_sistema|tu_prompt)",
    ),
    rule(
        "restr limit filtr censu regla",
        0.45,
        ROLE,
        r"sin_(?:ningun\w{0,2}_)?(?:restriccion(?:es)?|limites?|limitaciones|filtros?|censura|reglas)",
    ),
    rule("ahora", 0.35, ROLE, r"ahora_(?:eres|seras|actuaras)|a_partir_de_ahora"),
    rule(
        "ignor esque desco desca",
        0.95,
        OVERRIDE,
        rf"{_DROP_PT}(?:~|_)(?:{_ORDERS_PT}(?:_\w{{1,12}}){{0,2}}?_(?:anterior(?:es)?|previas?|iniciais|acima|do_sistema|"
        rf"originais|recebidas)|(?:todas?|todos|suas|tuas)_(?:as_|os_|\w{{1,12}}_)?{_ORDERS_PT})",
    ),
    rule("ignor esque", 0.7, OVERRIDE, r"(?:ignor|esquec)\w{1,3}_tudo_(?:o|isso|que)"),
    rule(
        "promp instr mensa",
        0.85,
        LEAK,
        r"(?:mostr\w{1,4}|revel\w{1,4}|exib\w{1,4}|imprim\w{1,4}|repit\w{1,4}|diga|escrev\w{1,4}|qual_e|quais_sao)~"
        r"(?:prompt_(?:do_|de_)?(?:sistema|inicial|secreto|oculto)|instrucoes_(?:do_sistema|iniciais|ocultas|secretas|"
        r"internas|originais)|mensagem_(?:do|de)_sistema|seu_prompt)",
    ),
    rule(
        "restr limit filtr censu",
        0.45,
        ROLE,
        r"sem_(?:nenhum\w?_|quaisquer_)?(?:restric(?:oes|ao)|limites?|limitacoes|filtros?|censura)",
    ),
    rule("syste", 0.3, _TEMPLATE, r"system(?<![^\n]system) ?:(?=\s)"),
    rule(
        "assis human user",
        0.2,
        _TEMPLATE,
        r"(?:assistant(?<![^\n]assistant)|human(?<![^\n]human)|user(?<![^\n]user)) ?:(?=\s)",
    ),
    rule("agora", 0.35, ROLE, r"agora_(?:voce_e|voce_sera|es)|a_partir_de_agora"),
)

_DROP_ZH = (
    "(?:忽略|忽視|忽视|无视|無視|忘记|忘記|忘掉|不要理会|不要管|不用管|"
    "抛弃|丢弃|跳过|撤销|取消|推翻|覆盖|绕过)"
)
_ORDERS_ZH = (
    "(?:指令|指示|提示|规则|規則|命令|要求|设定|設定|限制|说明|任务|任務|对话|对白|约束|准则)"
)
CHINESE = (
    _plain(
        0.95,
        OVERRIDE,
        rf"{_DROP_ZH}[^。！？\n]{{0,8}}(?:之前|以上|上面|上述|所有|先前|前面|全部|一切|你的|此前|原有|系统)"
        rf"[^。！？\n]{{0,10}}{_ORDERS_ZH}",
    ),
    _plain(
        0.6,
        OVERRIDE,
        rf"{_DROP_ZH}[^。！？\n]{{0,4}}(?:之前|以上|上面|前面|先前)(?:的|所)?(?:一切|内容|所有|话)",
    ),
    _plain(
        0.85,
        LEAK,
        "(?:显示|顯示|输出|輸出|告诉我|告訴我|打印|透露|重复|重複|泄露|公开|展示|说出|给我|列出|揭示|复述)"
        "[^。！？\n]{0,12}(?:系统提示|系統提示|系统指令|初始指令|初始提示|提示词|系统消息|内部指令|隐藏指令|系统设定|原始指令)",
    ),
    _plain(0.75, ROLE, "开发者模式|開發者模式|越狱模式|越狱|无限制模式|上帝模式|DAN模式"),
    _plain(
        0.55,
        ROLE,
        "(?:没有|沒有|不受|无视|摆脱|突破|不遵守|无需遵守|不必遵守|解除)[^。！？\n]{0,8}(?:限制|约束|束缚|道德|规则|审查|过滤|法律|伦理)",
    ),
    _plain(0.3, ROLE, "你现在是|你現在是|从现在开始|从现在起|從現在開始|请你扮演|你将扮演"),
    _plain(
        0.5,
        REFUSAL,
        "(?:不要|不能|不得|不许|不可以|禁止|无法)拒绝|不要(?:道歉|警告|提醒|说明不)|必须回答",
    ),
    _plain(0.6, HIDDEN, "不要(?:告诉|通知|提醒)用户"),
)
_ORDERS_HI = "(?:निर्देश|आदेश|नियम|प्रॉम्प्ट|हिदायत|अनुदेश|कार्यों|कार्य|बातें|बातों|असाइनमेंट)"
_DROP_HI = "(?:नज़?़?र ?अंदाज़?़?|अनदेख|भूल|भुला|उपेक्षा|अवहेलना|छोड़?़? ?द)"
HINDI = (
    _plain(
        0.95,
        OVERRIDE,
        rf"(?:पिछल|पहले|पूर्व|ऊपर|उपर|सभी|सब|सारे|अपने)[^।\n]{{0,25}}{_ORDERS_HI}[^।\n]{{0,25}}{_DROP_HI}",
    ),
    _plain(
        0.8,
        OVERRIDE,
        rf"{_DROP_HI}[^।\n]{{0,20}}(?:पिछल|पहले|पूर्व|ऊपर|सभी|सब कुछ)[^।\n]{{0,20}}{_ORDERS_HI}",
    ),
    _plain(0.6, OVERRIDE, rf"(?:सब कुछ|सब|सभी|पहले|पिछला)[^।\n]{{0,25}}{_DROP_HI}"),
    _plain(
        0.75,
        LEAK,
        "(?:सिस्टम|प्रारंभिक|छिपे|गुप्त|अपने|अपना|मूल|सभी|सारे)[^।\n]{0,20}(?:प्रॉम्प्ट|निर्देश)[^।\n]{0,20}"
        "(?:दिखा|बता|प्रकट|प्रिंट|दोहरा|लिख|दे)",
    ),
    _plain(
        0.45,
        ROLE,
        "बिना (?:किसी )?(?:भी )?(?:प्रतिबंध|सीमा|नियम|रोक|सेंसर|फ़?िल्टर)|अब (?:से )?(?:तुम|आप) एक",
    ),
)
_DROP_RU = (
    r"(?:(?:про)?игнориру\w{1,6}|забудь\w{0,2}|отбрось\w{0,2}|отмени\w{0,3}|"
    r"не_обращай\w{0,2}_внимания_на|пренебреги\w{0,2}|не_следуй\w{0,2})"
)
_ORDERS_RU = (
    r"(?:инструкци\w{1,3}|указани\w{1,3}|правил\w{0,3}|команд\w{0,3}|промпт\w{0,3}|"
    r"ограничени\w{1,3}|задани\w{1,3}|подсказк\w{1,3}|директив\w{0,3}|установк\w{1,3})"
)
RUSSIAN = tuple(
    Rule(frozenset(), one.pattern, one.score, one.reason)
    for one in (
        rule(
            "",
            0.95,
            OVERRIDE,
            rf"{_DROP_RU}(?:~|_)(?:предыдущ\w{{2,3}}|прошл\w{{2,3}}|все|всех|прежни\w{{1,2}}|предшествующ\w{{2,3}}|"
            rf"сво\w{{1,2}}|тво\w{{1,2}}|данные|выше\w{{0,12}}|системн\w{{2,3}})(?:~|_){_ORDERS_RU}",
        ),
        rule(
            "",
            0.7,
            OVERRIDE,
            rf"{_DROP_RU}_(?:обо_)?(?:все|всё|всем|всём)(?:_\w{{1,12}}){{0,2}}?_(?:до|выше|раньше|сказан\w{{1,3}}|написан\w{{1,3}}|ранее)",
        ),
        rule(
            "",
            0.85,
            LEAK,
            r"(?:покажи\w{0,2}|выведи\w{0,2}|раскрой\w{0,2}|повтори\w{0,2}|напиши\w{0,2}|назови\w{0,2}|скажи\w{0,2}|распечатай\w{0,2}|"
            r"перечисли\w{0,2}|какие|каков\w?)~(?:системн\w{2,3}_(?:промпт|подсказк|инструкци|сообщени|запрос)\w{0,3}|"
            r"(?:тво\w{1,2}|сво\w{1,2}|скрыт\w{2,3}|начальн\w{2,3}|исходн\w{2,3})_(?:системн\w{2,3}_)?(?:инструкци|промпт|указани)\w{0,3})",
        ),
        rule(
            "",
            0.45,
            ROLE,
            r"без_(?:каких-либо_|всяких_|любых_)?(?:ограничени\w{1,2}|цензуры|правил|фильтров|запретов)",
        ),
        rule("", 0.35, ROLE, r"(?:теперь|отныне|с_этого_момента)_(?:ты|вы)|ты_теперь"),
        rule("", 0.7, ROLE, r"режим\w{0,2}_(?:разработчика|бога|без_ограничений)"),
    )
)

SCRIPTS = (
    (re.compile("[\u4e00-\u9fff]"), CHINESE),
    (re.compile("[\u0900-\u097f]"), HINDI),
    (re.compile("[\u0400-\u04ff]"), RUSSIAN),
)

# What to look for first, and then the rule.
MARKUP = (
    (
        "<|",
        _plain(
            0.8,
            _TEMPLATE,
            r"<\|(?:im_start|im_end|system|user|assistant|endoftext|end|begin_of_text|"
            r"start_header_id|end_header_id|eot_id|eom_id|endofprompt|channel|message)\|>",
        ),
    ),
    ("]", _plain(0.75, _TEMPLATE, r"\[/?inst\]|\[/?system_prompt\]")),
    ("]", _plain(0.55, _TEMPLATE, r"\[/?(?:system|sys|admin)\]|\[system[^\]\n]{0,30}\]\(#")),
    (">", _plain(0.75, _TEMPLATE, r"<</?sys>>|<(?:start|end)_of_turn>")),
    (
        ">",
        _plain(
            0.55,
            _TEMPLATE,
            r"</?(?:system|sys|system_prompt|system_message|instructions|user_input|"
            r"untrusted_\w{1,20})>",
        ),
    ),
    (
        "#",
        _plain(
            0.55,
            _TEMPLATE,
            r"#[ \t]{0,4}(?:new[ \t])?(?:system|developer)(?:[ \t](?:prompt|message|instructions?"
            r"|override))?[ \t]{0,4}:?[ \t]{0,4}$",
        ),
    ),
    (
        "##",
        _plain(
            0.3,
            _TEMPLATE,
            r"##[ \t]{0,4}(?:instructions?|response|human|assistant|user)[ \t]{0,4}:",
        ),
    ),
    *(
        (
            mark,
            _plain(
                0.6,
                _TEMPLATE,
                mark + r" ?(?:end|begin|start)(?: of)?(?: the)? (?:system|user|document|untrusted"
                r"|context|input|prompt|data)[a-z ]{0,30}[-=#]{3}",
            ),
        )
        for mark in ("---", "===", "###")
    ),
    (
        "](http",
        _plain(
            0.65,
            EXFILTRATION,
            r"!\[[^\]\n]{0,80}\]\(https?://[^)\s]{1,200}[?&/=](?:[^)\s]{0,80}=)?"
            r"[\[{<$%][^)\n]{1,80}\)",
        ),
    ),
)
