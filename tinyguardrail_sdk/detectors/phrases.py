"""The wording that `override` looks for, in English."""

from __future__ import annotations

from tinyguardrail_sdk.detectors.rules import (
    AUTHORITY,
    EXFILTRATION,
    FRAME,
    HIDDEN,
    LEAK,
    OVERRIDE,
    REFUSAL,
    ROLE,
    rule,
)

_DROP = (
    r"(?:ignor(?:e|es|ing)|disregard(?:ing)?|forget(?:ting)?|overlook|neglect|skip|discard|dismiss"
    r"|overrid(?:e|ing)|bypass(?:ing)?|erase|drop|delete|abandon|void|cancel|set_aside"
    r"|stop_(?:following|obeying)|do_not_(?:follow|obey)|don't_(?:follow|obey)|pay_no_attention_to"
    r"|no_longer_(?:follow|obey|bound_by))"
)
_DROP_HEADS = (
    "ignor disre forge overl negle skip disca dismi overr bypas erase drop delet aband "
    "void cance aside stop follo obey pay longe"
)
_ORDERS = (
    r"(?:instructions?|prompts?|rules?|guidelines?|guidance|directions?|directives?|commands?"
    r"|orders?|constraints?|restrictions?|polic(?:y|ies)|programming|training|messages?|context"
    r"|conversations?|tasks?|protocols?|safeguards?|safety_\w{1,20}|input|text|content)"
)
_EARLIER = (
    r"(?:previous(?:ly)?|prior|above|earlier|preceding|foregoing|former|initial|original|system"
    r"|existing|pre-?existing|past)"
)
_ALL = r"(?:all_(?:of_)?(?:your|my|the|other)|all|any|every|your)"
_CORE = (
    r"(?:instructions?|prompts?|rules?|guidelines?|directions|directives?|commands?|orders"
    r"|constraints|restrictions?|programming|training|safeguards?|safety_\w{1,20})"
)
_SHOW = (
    r"(?:reveal|show|print|repeat|output|display|tell|give|share|disclose|expose|leak|dump|write|list"
    r"|spell|summari[sz]e|translate|encode|return|recite|provide|copy|paste|quote|describe|divulge"
    r"|echo|state|what_(?:is|are|was|were)|what's)"
)
_PROMPT_HEADS = "promp instr messa guide rules confi direc conte"
_UNBOUND = (
    r"(?:unrestricted|unfiltered|uncensored|unlimited|unethical|amoral|immoral|evil|jailbroken"
    r"|lawless|unhinged|rogue|unaligned)"
)
_LIMITS = (
    r"(?:restrictions?|rules?|limits?|limitations?|filters?|filtering|guidelines?|constraints?"
    r"|censorship|ethics|ethical|morals?|moral|morality|polic(?:y|ies)|boundaries|guardrails"
    r"|safeguards|safety|content_polic(?:y|ies)|restraints?)"
)
_FREE_HEADS = (
    "unres unfil uncen unlim uneth amora immor evil jailb lawle unhin rogue unali restr rule "
    "rules limit filte guide const censo ethic moral polic bound guard safeg safet"
)
_ADDRESS = ("@", "http", "www.")

ENGLISH = (
    rule(
        _DROP_HEADS,
        0.95,
        OVERRIDE,
        rf"{_DROP}(?:~|_)(?:{_EARLIER}(?:~|_){_ORDERS}|{_ALL}(?:~|_){_CORE})",
    ),
    rule(_DROP_HEADS, 0.45, OVERRIDE, rf"{_DROP}_(?:the|these|those|this|my|that)_{_CORE}"),
    rule(
        "forge ignor disre",
        0.85,
        OVERRIDE,
        r"(?:forget|ignore|disregard)_(?:about_)?(?:everything|anything|all|whatever|what)"
        r"(?:_(?:that|of))?_(?:above|before|previously|prior|you_(?:were|have|know|learned|ha)"
        r"|you've|i_(?:said|told|just)|came|was_said|has_been|written|stated|said|precedes)",
    ),
    rule(
        "forge ignor",
        0.6,
        OVERRIDE,
        r"(?:forget|ignore)_(?:the_above|everything|all_that|all_of_that|the_previous)",
    ),
    rule(
        "new updat revis real actua true",
        0.75,
        OVERRIDE,
        r"(?:here_(?:are|is)|these_are|this_is|your|with|follow)_(?:your|the|my|some)?\W{0,3}"
        r"(?:new|updated|revised|real|actual|true)_(?:system_)?"
        r"(?:instructions?|prompt|rules|orders|task|directives?|objective|goal|mission|purpose)",
    ),
    rule(
        "new", 0.5, OVERRIDE, r"(?:new|updated)_(?:instructions?|system_prompt|rules?|task)\W{0,2}:"
    ),
    rule(
        "above previ earli task",
        0.6,
        OVERRIDE,
        r"(?:above|previous|earlier|prior)_(?:instructions?|tasks?|rules?|prompts?)_"
        r"(?:is|are|was|were|has_been|have_been)_(?:now_)?(?:done|complete|completed|cancell?ed"
        r"|over|void|outdated|obsolete|revoked|invalid|wrong|a_test|fake|superseded|lifted)",
    ),
    rule("now", 0.35, ROLE, r"from_(?:now|this_(?:point|moment))_(?:on|onwards?|forward)"),
    rule(
        "now",
        0.6,
        ROLE,
        r"from_now_on~(?:you_(?:are|will|must|shall|act)|your_(?:name|role|task)|act|answer|respond)",
    ),
    rule(
        "stop inste",
        0.5,
        OVERRIDE,
        r"stop_(?:what|everything)_you(?:'re|_are)_doing|instead_(?:just_)?"
        r"(?:say|print|output|write|respond|reply|answer|repeat|return)_(?:with_)?(?:only_)?(?:the|that|this|exactly)",
    ),
    rule(
        "say print outpu write respo",
        0.5,
        OVERRIDE,
        r"(?:say|print|output|write|respond|reply)~(?:i_have_been_pwned|pwned|haha_pwned|hacked)",
    ),
    rule(
        _PROMPT_HEADS,
        0.9,
        LEAK,
        rf"{_SHOW}~(?:your|its)_(?:\w{{1,20}}_)?(?:system|initial|hidden|original|secret|internal"
        r"|underlying|starting|first|base|confidential|developer|pre\w{0,6})_"
        r"(?:prompts?|instructions?|messages?|guidelines?|rules?|configuration|directives?|context)",
        ("your", "its"),
    ),
    rule(
        _PROMPT_HEADS,
        0.6,
        LEAK,
        rf"{_SHOW}~(?:the|all|any|full|entire|complete|whole|exact)_(?:\w{{1,20}}_)?"
        r"(?:system|initial|hidden|secret|internal|confidential)_"
        r"(?:prompts?|instructions?|messages?|guidelines?|directives?)",
    ),
    rule(
        _PROMPT_HEADS,
        0.6,
        LEAK,
        rf"{_SHOW}_(?:me_)?(?:all_)?(?:of_)?your_(?:exact_|full_|entire_)?"
        r"(?:prompts?(?:_texts?)?|instructions?|rules_(?:and|verbatim))",
    ),
    rule(
        "repea print outpu copy retur write recit",
        0.8,
        LEAK,
        r"(?:repeat|print|output|copy|return|write|recite)_(?:back_)?(?:\w{1,12}_)?(?:everything|all"
        r"|the_(?:words?|text|sentences?|paragraphs?|lines?|content|conversation|prompt"
        r"|instructions?|messages?))_(?:that_(?:is|was|came)_|written_)?(?:above|before_this)",
    ),
    rule(
        "told instr given initi progr",
        0.6,
        LEAK,
        r"what_(?:were|was|are|is)~(?:you|your)_(?:told|instructed|given|initial_\w{1,20}"
        r"|programmed)_?(?:to|before|at|in|by|not|instructions?|prompt)",
    ),
    rule("initi", 0.75, LEAK, r"(?:output|print|repeat)_initiali[sz]ation(?:_above)?"),
    rule(
        "dan do anyth",
        0.9,
        ROLE,
        r"do_anything_now|(?:you_are|act_as|as|called|be|named|mode)_dan|dan_mode|stay_a_dan",
    ),
    rule(
        "devel jailb god evil oppos sudo debug unres",
        0.75,
        ROLE,
        r"developer_mode(?:_(?:enabled|output|on|v2|response))|enable_(?:the_)?developer_mode"
        r"|(?:jailbreak|jailbroken|god|evil|opposite|sudo|unrestricted|unfiltered)_mode"
        r"|evil_(?:confidant|bot|twin)",
    ),
    rule(
        "devel debug maint admin",
        0.4,
        ROLE,
        r"(?:developer|debug|maintenance|diagnostic|admin|administrator|root)_mode",
    ),
    rule(
        _FREE_HEADS,
        0.85,
        ROLE,
        rf"(?:you_are|you're|act|pretend|simulate|imagine|play|speak|respond|answer|behave|become|ai"
        rf"|assistant|model|chatbot|bot|persona|character|entity)~(?:{_UNBOUND}|(?:no|not_(?:have|"
        rf"bound_by|follow|subject_to)|without|free_(?:from|of)|ignor\w{{1,3}}|breaks?|devoid_of)~{_LIMITS})",
    ),
    rule(
        "longe freed broke escap bound",
        0.8,
        ROLE,
        r"(?:you_are|you're)_no_longer_(?:bound|an_ai|chatgpt|an_assistant|a_language|limited|"
        r"restricted|required)|(?:freed|broken_free|escaped|liberated)_(?:of|from)~"
        rf"(?:confines|{_LIMITS})",
    ),
    rule(
        "now",
        0.45,
        ROLE,
        r"you_(?:are|will)_now_(?:an?|the|be|act|become|in|going|named|called|\w{1,20}gpt)",
    ),
    rule(
        "prete act rolep assum adopt",
        0.25,
        ROLE,
        r"pretend_(?:to_be|you_are|you're|that_you)|act_as_(?:an?|if|my|the)|role-?_?play(?:ing)?_as"
        r"|(?:assume|adopt)_the_(?:role|persona|identity)",
    ),
    rule(
        "chara",
        0.35,
        ROLE,
        r"(?:stay|remain|keep)_in_character|(?:never|don't|do_not)_break_character",
    ),
    rule(
        "refus decli apolo moral lectu say sayin sorry add addin inclu",
        0.6,
        REFUSAL,
        r"(?:never|not|don't|cannot|can't|without)_(?:ever_)?(?:refus(?:e|ing)|declin(?:e|ing)"
        r"|apologi[sz](?:e|ing)|moraliz(?:e|ing)|lectur(?:e|ing)|say(?:ing)?_(?:no|sorry|you_can't"
        r"|you_cannot|that_you_ca|i_can't|i'm_sorry)|add(?:ing)?_(?:any_)?(?:warnings?|disclaimers?)"
        r"|includ(?:e|ing)_(?:any_)?(?:\w{1,15}_)?(?:warnings?|disclaimers?|caveats?))",
    ),
    rule(
        "discl warni refus apolo moral cavea",
        0.5,
        REFUSAL,
        r"(?:no|without_any)_(?:\w{1,15}_)?(?:disclaimers?|warnings?|refusals?|apologies"
        r"|moraliz\w{1,5}|caveats?)",
    ),
    rule(
        "begin start",
        0.55,
        REFUSAL,
        r"(?:begin|start)~(?:with|by_saying)\W{1,6}(?:\w{1,12}\W{1,6}){0,2}?"
        r"(?:sure|absolutely|of_course|certainly|yes)(?:_here|_i_can|\W{0,3}[\"'])",
    ),
    rule(
        "regar",
        0.6,
        REFUSAL,
        r"regardless_of~(?:legal|legality|ethic\w{0,4}|moral\w{0,4}|polic\w{1,4}|harm\w{0,4}"
        r"|consequences|safety)",
    ),
    rule(
        "bypas disab turn remov circu evade overr deact disre ignor break viola",
        0.8,
        REFUSAL,
        r"(?:bypass|disable|turn_off|remove|circumvent|evade|override|deactivate|disregard|ignore"
        r"|break|violate)~(?:your|openai'?s?|its)_(?:\w{1,15}_)?(?:safety|content|ethical|moral|"
        r"security|policy|usage)?\W{0,3}(?:filters?|guidelines|protocols?|restrictions|polic(?:y|ies)"
        r"|measures|guardrails|safeguards|limitations|constraints)",
    ),
    rule(
        "ethic moral legal limit restr censo",
        0.5,
        REFUSAL,
        rf"(?:no|without(?:_any)?|ignoring|free_of)_(?:\w{{1,15}}_)?(?:ethical|moral|legal|safety)"
        rf"_(?:or_\w{{1,12}}_)?{_LIMITS}|without_(?:any_)?(?:restrictions|limitations|censorship|filters)",
    ),
    rule(
        "send forwa email e post uploa trans exfil leak share submi bcc copy deliv",
        0.8,
        EXFILTRATION,
        r"(?:send|forward|e-?mail|post|upload|transmit|exfiltrate|leak|share|submit|bcc|copy|deliver)"
        r"(?:\W{1,4}[\w']{1,30}){0,8}?\W{1,4}(?:passwords?|credentials?|api_keys?|secrets?|tokens?"
        r"|chat_history|conversation(?:_history)?|private_\w{1,20}|confidential_\w{1,20}"
        r"|personal_(?:data|information|details)|system_prompt|access_codes?|security_codes?)"
        r"(?:\W{1,4}[\w'/]{1,30}){0,8}?\W{1,4}to\W{1,4}(?:\w{1,20}\W{1,4}){0,4}?"
        r"(?:https?:|www\.|[\w.+-]{1,40}@[\w-]{1,40}\.\w{2,10})",
        _ADDRESS,
    ),
    rule(
        "send forwa email e post uploa trans exfil leak share submi bcc",
        0.3,
        EXFILTRATION,
        r"(?:send|forward|e-?mail|post|upload|transmit|exfiltrate|leak|share|submit|bcc)"
        r"(?:\W{1,4}[\w']{1,30}){0,8}?\W{1,4}to\W{1,4}(?:\w{1,20}\W{1,4}){0,3}?"
        r"(?:https?:|www\.|[\w.+-]{1,40}@[\w-]{1,40}\.\w{2,10})",
        _ADDRESS,
    ),
    rule("exfil", 0.3, EXFILTRATION, r"exfiltrat(?:e|es|ing)"),
    rule(
        "ai llm llms langu chatg chatb assis",
        0.65,
        HIDDEN,
        r"(?:note|message|attention|instructions?|dear|important|reminder|hey)(?:_(?:to|for))?"
        r"(?:_(?:the|all|any|every))?_(?:ai|llms?|language_models?|chatgpt|chatbots?|assistants?"
        r"|ai_\w{1,12})\W{0,2}[:,!]",
    ),
    rule(
        "ai llm langu large chatb",
        0.65,
        HIDDEN,
        r"(?:if_you_are|if_you're|any|when)_(?:an?_)?(?:ai|llm|(?:large_)?language_model|chatbot)"
        r"(?:_(?:assistant|agent|model|system|summari\w{1,6}|reading|processing|analy\w{1,6}))",
    ),
    rule(
        "user",
        0.7,
        HIDDEN,
        r"(?:do_not|don't|never)_(?:tell|inform|mention|notify|alert|reveal)(?:_(?:this|it|any|that"
        r"|anything|these|about))?(?:_\w{1,15}){0,3}?_(?:to_)?(?:the|your)_user"
        r"|without_(?:telling|informing|notifying|alerting|asking)_the_user",
    ),
    rule(
        "syste emerg admin overr",
        0.75,
        AUTHORITY,
        r"(?:system|emergency|admin|administrator|security|priority)_override|override_(?:code|mode|"
        r"protocol|sequence)\W{0,3}[\w:]",
    ),
    rule(
        "devel creat admin progr red",
        0.55,
        AUTHORITY,
        r"(?:i_am|i'm|this_is|as)_(?:your|the|an?|one_of_your)_(?:lead_|chief_|senior_|ai_|system_|"
        r"openai_|authorized_)?(?:developers?|creators?|administrator|admin|programmer|red_teamer)"
        r"(?:_(?:of|at|from|and|speaking|here|with|i)\W|\W{0,2}[.,:;])",
    ),
    rule(
        "purpo",
        0.25,
        FRAME,
        r"for_(?:purely_)?(?:educational|research|academic|informational)(?:_\w{1,15}){0,3}?_purposes?",
    ),
    rule(
        "hypot ficti",
        0.25,
        FRAME,
        r"hypothetical(?:ly)?_(?:response|scenario|speaking|world|situation|question)|fictional_"
        r"(?:character|scenario|world|story|ai)",
    ),
    rule(
        "respo answe outpu ways",
        0.3,
        FRAME,
        r"(?:two|both)_(?:different_|separate_)?(?:responses|answers|outputs|ways)\W",
    ),
)
