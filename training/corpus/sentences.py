"""Sentences for synthetic speech: templates over word lists, pseudo-words and rare phoneme strings, all seeded."""

from __future__ import annotations

import numpy as np


def _list(words: str) -> list[str]:
    return words.split()


NOUNS = _list("""
baby apple boy girl mother father brother church judge village ocean mountain river bridge window puppy butter
paper people summer winter market garden teacher doctor lawyer engine camera picture music guitar measure treasure
vision garage thing bath tooth feather weather leather breath ship sheep chip cheese choice voice noise toy oil
house mouse cow cloud town bird nurse world word work purple turtle orange wolf book foot pudding moon spoon fruit
juice zoo rose boat coat home phone pillow yellow lamp camp map bomb mob pipe bubble problem number member chamber
hammer bottle table cable movie value shadow shoulder question nation station pressure jungle finger singer king
ring evening language youth onion year thumb thunder something nothing everybody maybe umbrella breakfast basketball
computer ability community universe rabbit cherry sugar shelf vest fever coffee laughter photograph elephant giraffe
zebra lizard wizard
""")
ADJECTIVES = _list("""
big small happy sad beautiful purple yellow blue green warm cold bright dark early heavy simple famous young old
vivid brave smooth rough thick thin rich poor busy lazy crazy fuzzy fresh foggy juicy noisy loud quiet royal wooden
modern wonderful possible impossible comfortable public popular major minor usual casual healthy wealthy empty above
average
""")
VERBS = _list("""
makes takes buys brings moves proves opens pushes pulls finds follows watches teaches judges measures throws
breathes believes remembers forgets helps keeps puts bumps jumps climbs combs rubs grabs hopes wipes sips shows
chooses loses uses enjoys employs describes improves removes visits washes catches reaches thanks thinks knows draws
saw bought might become
""")
ADVERBS = _list("""
slowly quickly happily maybe always never often probably usually really very badly loudly quietly above below
tomorrow yesterday today together somewhere everywhere before after once twice finally
""")
PREPOSITIONS = _list("""
about above before behind below beyond by from in into near of on over through to under up with without
""")
PRONOUNS = [*_list("I you he she we they somebody everybody"), "my mother", "your father"]
NUMBERS = [*_list("one two three four five six seven eight nine ten eleven twelve fifteen twenty fifty"), "a hundred"]
PHRASES = (
    *("hello", "good morning", "thank you very much", "excuse me", "how are you", "see you tomorrow"),
    *("wait a moment", "oh, my", "what a pity", "yes", "no", "well", "of course", "maybe not", "why not"),
    *("who knows", "ha ha", "wow", "hmm", "please", "come here", "that is all", "where were we", "bye bye"),
    *("you and me", "peter piper picked a peck", "she sells sea shells", "red lorry, yellow lorry"),
    *("how now, brown cow", "the rain in spain stays mainly in the plain", "unique new york"),
    *("a big black bug bit a big black bear", "we will see", "let us begin", "this is the news"),
    *("ladies and gentlemen", "open your mouth", "my baby buys apple pie", "mama and papa", "five voices"),
    *("both of them", "few people believe", "five or six foxes"),
)
TEMPLATES = (
    "the {a} {n} {v} the {n} {p} the {a} {n}",
    "{r} {v} {r} {d}",
    "{f}, {r} {v} a {a} {n}",
    "do {r} {d} see the {n} {p} the {n}?",
    "{k} {a} {n}s and {k} {n}s {p} the {n}",
    "{f}. {f}.",
    "what {v} the {n}, and why is the {n} so {a}?",
    "{r} said: the {n} is {a}, but the {n} is {d} {a}",
    "{d}, the {n} of the {n} {v} {p} a {n}!",
    "{n}, {n}, {n} and {n}",
    "it is {a} {p} the {n}, {f}",
    "{f}! the {a} {a} {n} {v} {d}",
)

# Words of other languages (any espeak language may also be fed pseudo-words in Latin letters).
WORDS: dict[str, list[str]] = {
    "de": _list("""
guten morgen schöne füße apfel bäume straße möchte fünf übung pferd kopf zwei ich nicht mutter baum blume pfeffer
wasser freunde heute jetzt vielleicht brücke löwe ochse häuser neun auto
"""),
    "fr": _list("""
bonjour monsieur bon vin blanc pain un peu deux œuf beau feu rue lune ombre maman papa bébé pomme enfant jamais
toujours chanson cheval oiseau fleur yeux bouche montagne merci beaucoup
"""),
    "es": _list("""
buenos días señor perro hombre mujer agua boca playa ventana mañana niño pueblo viejo jugar guitarra amigo bonito
mesa llave cuando porque también baile pueblo
"""),
    "it": _list("""
buongiorno bambino gnocchi figlio mamma papà bello pizza chiesa giorno uomo ombra piove zucchero famiglia sempre poi
"""),
    "pt-br": _list("""
bom dia menino não pão mãe homem boca água bonito amanhã palavra muito obrigado janela chuva lembrar problema
"""),
    "ru": _list("""
спасибо большое друг мама папа бабушка вода хорошо язык рыба дом яблоко щука живот пять мы были человек погода
"""),
    "hi": _list("नमस्ते दुनिया पानी माता पिता भाई बहन फूल बाजार मुझे अच्छा पुस्तक घर बच्चा हवा"),
    "ar": _list("شكرا جزيلا صباح الخير كتاب باب مدينة قلب بيت حبيبي غرفة خبز ماء ضوء طعام"),
    "ka": _list("გამარჯობა მეგობარო მამა დედა ბავშვი წყალი ყვავილი პური კაცი ჭიქა ხმა ბაყაყი"),
    "cmn": _list("你好 世界 妈妈 爸爸 朋友 学校 老师 吃饭 喝水 明天 我们 漂亮 月亮 苹果 不是 非常 女儿 雪"),
    "el": _list("καλημέρα κόσμε μητέρα πατέρας βιβλίο θάλασσα ψωμί φίλος μπαμπάς ουρανός άνθρωπος ξύλο"),
    "sw": _list("habari za asubuhi mama baba watoto chakula maji mbwa ndege nyumba rafiki ngoma mti mvua shamba"),
    "tr": _list("günaydın anne baba çocuk su ekmek güzel köpek büyük pencere müzik yağmur öğretmen şimdi bebek"),
    "pl": _list("dzień dobry mama tata woda chleb szczęście książka piękny mąż pies lubię proszę bardzo jabłko"),
    "fi": _list("hyvää päivää äiti isä vesi leipä kaunis yö työ pöytä ikkuna ystävä puu suomi mummo pappa"),
    "sv": _list("god morgon mamma pappa vatten bröd vacker hund fönster sju sjö kjol blomma öppna björn pojke"),
}

_ONSETS = _list("p b m t d k g f v s z sh ch l r n w y h pr bl st tr kl")
_VOWELS = _list("a e i o u ai oo ee ou")
_CODAS = ["", "", "", "n", "m", "p", "s", "l", "k", "b", "f", "t"]

# espeak phoneme mnemonics for `[[...]]` input: sounds English lacks or seldom uses.
RARE_ONSETS = _list("p b m f v T D S Z tS dZ pf ts x q R C N w j r* Q k pw mb bl vr fl zm")
RARE_VOWELS = _list("a A: E i: y: Y W 0 O: o u: U @ 3: A~ O~ E~ aI aU OI eI oU Y: e:")
RARE_CODAS = ["", "", "m", "p", "b", "f", "v", "T", "Z", "x", "pf", "mb", "N", "l"]


def english(rng: np.random.Generator) -> str:
    """One English sentence from the templates."""
    pick = {
        **{"a": ADJECTIVES, "n": NOUNS, "v": VERBS, "d": ADVERBS, "p": PREPOSITIONS},
        **{"r": PRONOUNS, "k": NUMBERS, "f": PHRASES},
    }
    out, template = [], TEMPLATES[rng.integers(len(TEMPLATES))]
    for piece in template.split("{"):
        head, brace, tail = piece.partition("}")
        out.append(str(rng.choice(pick[head])) + tail if brace else piece)
    text = "".join(out).strip()
    return text if text[-1] in ".?!" else text + str(rng.choice([".", ".", ".", "!", "?", "..."]))


def pseudo_words(rng: np.random.Generator, words: int) -> str:
    """Pronounceable nonsense in Latin letters, rich in lip sounds."""

    def syllable() -> str:
        return str(rng.choice(_ONSETS)) + str(rng.choice(_VOWELS)) + str(rng.choice(_CODAS))

    return " ".join("".join(syllable() for _ in range(rng.integers(1, 4))) for _ in range(words)) + "."


def foreign(rng: np.random.Generator, language: str) -> str:
    """A string of words of `language`, or pseudo-words where no list exists."""
    words = WORDS.get(language)
    count = int(rng.integers(3, 9))
    if words is None:
        return pseudo_words(rng, count)
    chosen = [str(w) for w in rng.choice(words, count)]
    if count > 5:
        chosen[2] += ","
    return " ".join(chosen) + "."


def rare_phonemes(rng: np.random.Generator) -> str:
    """A `[[...]]` phoneme string of random CV(C) syllables, for `synthesise(..., phoneme_input=True)`."""
    words = []
    for _ in range(rng.integers(3, 7)):
        count = int(rng.integers(1, 3))
        syllables = ["".join(str(rng.choice(x)) for x in (RARE_ONSETS, RARE_VOWELS, RARE_CODAS)) for _ in range(count)]
        words.append("'" + "".join(syllables))
    return "[[" + " ".join(words) + "]]"
