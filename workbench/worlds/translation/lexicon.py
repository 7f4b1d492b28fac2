"""The words of the world of translation: what each is in Spanish and in English, and its forms."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ADJECTIVES",
    "CONNECTIVES",
    "DETERMINERS",
    "NOUNS",
    "OF_PEOPLE",
    "OF_THINGS",
    "PEOPLE",
    "THINGS",
    "TIMES",
    "VERBS",
    "Adjective",
    "Determiner",
    "Noun",
    "Particle",
    "Verb",
]

VOWELS = "aeiouáéíóú"


@dataclass(frozen=True)
class Noun:
    """A noun; its English singular names the concept."""

    english: str
    spanish: str
    feminine: bool = False
    """In Spanish."""
    heavy: str = ""
    """A heavier English word for the same, if there is one."""
    spanish_plural: str = ""
    """Where it is irregular."""

    def in_english(self, *, plural: bool, heavy: bool = False) -> str:
        """Return the English form."""
        word = self.heavy if heavy and self.heavy else self.english
        if not plural:
            return word
        if word.endswith("y") and word[-2] not in VOWELS:
            return f"{word[:-1]}ies"
        return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"

    def in_spanish(self, *, plural: bool) -> str:
        """Return the Spanish form."""
        return (self.spanish_plural or _spanish_plural(self.spanish)) if plural else self.spanish


@dataclass(frozen=True)
class Adjective:
    """An adjective; English has one form of it, Spanish up to four."""

    english: str
    spanish: str
    """Masculine singular."""
    heavy: str = ""

    def in_spanish(self, *, feminine: bool, plural: bool) -> str:
        """Return the form that agrees with a noun."""
        word = f"{self.spanish[:-1]}a" if feminine and self.spanish.endswith("o") else self.spanish
        return _spanish_plural(word) if plural else word


@dataclass(frozen=True)
class Verb:
    """A verb, used of third persons."""

    english: str
    past: str
    spanish: str
    """The infinitive."""
    present_stem: str = ""
    """Of the Spanish present, where its vowel changes."""
    heavy: str = ""
    """A heavier English verb, regular."""

    def in_english(self, tense: str, *, plural: bool, heavy: bool = False) -> str:
        """Return the form without an auxiliary: `present` agrees with the subject; `base` is what `will` takes."""
        word = self.heavy if heavy and self.heavy else self.english
        if tense == "past":
            return (f"{word}d" if word.endswith("e") else f"{word}ed") if word == self.heavy else self.past
        if tense == "base" or plural:
            return word
        return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"

    def in_spanish(self, tense: str, *, plural: bool) -> str:
        """Return the form: `present`, `past` (the preterite) or `future`."""
        stem, ending = self.spanish[:-2], self.spanish[-2:]
        if tense == "future":
            return self.spanish + ("án" if plural else "á")
        if tense == "past":
            return stem + _PRETERITE[ending][plural]
        return (self.present_stem or stem) + _PRESENT[ending][plural]


@dataclass(frozen=True)
class Determiner:
    """A determiner; `this` names the concept of `these` too."""

    english: str
    spanish: tuple[str, ...]
    """Masculine and feminine singular, then plural; twice the same where there is one form. A number it does not go
    with is empty."""
    english_plural: str = ""
    """Where it differs."""

    def in_english(self, *, plural: bool) -> str:
        """Return the English form, `a` before vowels too."""
        return self.english_plural if plural and self.english_plural else self.english

    def in_spanish(self, *, feminine: bool, plural: bool) -> str:
        """Return the Spanish form; empty where it does not go with the number."""
        return self.spanish[2 * plural + feminine]

    def numbers(self) -> tuple[bool, ...]:
        """Return the numbers that it goes with: whether plural."""
        return tuple(plural for plural in (False, True) if self.spanish[2 * plural])


@dataclass(frozen=True)
class Particle:
    """A word of one form: a connective between clauses, or a time."""

    english: str
    spanish: str
    heavy: str = ""


def _spanish_plural(word: str) -> str:
    if word[-1] in VOWELS:
        return f"{word}s"
    plain = word[:-2] + word[-2].translate(str.maketrans("áéíóú", "aeiou")) + word[-1]
    return f"{plain if word[-1] == 'n' else word}es"  # jardín, jardines; but fácil, fáciles


_PRESENT = {"ar": ("a", "an"), "er": ("e", "en"), "ir": ("e", "en")}
_PRETERITE = {"ar": ("ó", "aron"), "er": ("ió", "ieron"), "ir": ("ió", "ieron")}

PEOPLE = (
    Noun("boy", "niño"),
    Noun("girl", "niña", feminine=True),
    Noun("doctor", "médico", heavy="physician"),
    Noun("neighbour", "vecina", feminine=True),
    Noun("king", "rey", spanish_plural="reyes"),
    Noun("queen", "reina", feminine=True),
    Noun("grandfather", "abuelo"),
    Noun("grandmother", "abuela", feminine=True),
    Noun("brother", "hermano"),
    Noun("sister", "hermana", feminine=True),
    Noun("cat", "gato"),
    Noun("dog", "perro"),
    Noun("engineer", "ingeniera", feminine=True),
    Noun("artist", "artista", feminine=True),
    Noun("lawyer", "abogada", feminine=True, heavy="attorney"),
    Noun("pupil", "alumno"),
    Noun("teacher", "maestra", feminine=True, heavy="educator"),
    Noun("judge", "juez", spanish_plural="jueces"),
)
"""Nouns of those who act."""
THINGS = (
    Noun("house", "casa", feminine=True, heavy="residence"),
    Noun("book", "libro"),
    Noun("letter", "carta", feminine=True),
    Noun("door", "puerta", feminine=True),
    Noun("car", "coche", heavy="automobile"),
    Noun("apple", "manzana", feminine=True),
    Noun("orange", "naranja", feminine=True),
    Noun("egg", "huevo"),
    Noun("island", "isla", feminine=True),
    Noun("table", "mesa", feminine=True),
    Noun("chair", "silla", feminine=True),
    Noun("window", "ventana", feminine=True),
    Noun("key", "llave", feminine=True),
    Noun("garden", "jardín"),
    Noun("folder", "carpeta", feminine=True),
    Noun("carpet", "alfombra", feminine=True),
    Noun("bookshop", "librería", feminine=True),
    Noun("library", "biblioteca", feminine=True),
    Noun("factory", "fábrica", feminine=True),
    Noun("fabric", "tela", feminine=True),
    Noun("soup", "sopa", feminine=True),
    Noun("soap", "jabón"),
    Noun("school", "colegio"),
    Noun("college", "universidad", feminine=True),
    Noun("exit", "salida", feminine=True),
    Noun("success", "éxito"),
    Noun("picture", "cuadro", heavy="illustration"),
    Noun("job", "trabajo", heavy="occupation"),
    Noun("shirt", "camisa", feminine=True),
    Noun("shoe", "zapato"),
)
"""Nouns of what they act upon."""
NOUNS = (*PEOPLE, *THINGS)
ADJECTIVES = (
    Adjective("red", "rojo"),
    Adjective("white", "blanco"),
    Adjective("black", "negro"),
    Adjective("long", "largo"),
    Adjective("cheap", "barato", heavy="inexpensive"),
    Adjective("expensive", "caro"),
    Adjective("ugly", "feo"),
    Adjective("empty", "vacío"),
    Adjective("large", "grande", heavy="substantial"),
    Adjective("new", "nuevo"),
    Adjective("old", "viejo", heavy="venerable"),
    Adjective("small", "pequeño", heavy="diminutive"),
    Adjective("strange", "extraño", heavy="unconventional"),
    Adjective("important", "importante"),
    Adjective("tall", "alto"),
    Adjective("kind", "amable"),
    Adjective("tired", "cansado"),
    Adjective("famous", "famoso", heavy="illustrious"),
    Adjective("angry", "enojado"),
)
OF_THINGS, OF_PEOPLE = ADJECTIVES[:14], ADJECTIVES[9:]
"""What is said of things and of people; some words of both."""
VERBS = (
    Verb("buy", "bought", "comprar", heavy="purchase"),
    Verb("sell", "sold", "vender"),
    Verb("paint", "painted", "pintar"),
    Verb("clean", "cleaned", "limpiar"),
    Verb("open", "opened", "abrir"),
    Verb("close", "closed", "cerrar", "cierr"),
    Verb("need", "needed", "necesitar", heavy="necessitate"),
    Verb("remember", "remembered", "recordar", "recuerd"),
    Verb("forget", "forgot", "olvidar"),
    Verb("find", "found", "encontrar", "encuentr", heavy="discover"),
    Verb("show", "showed", "mostrar", "muestr", heavy="demonstrate"),
    Verb("visit", "visited", "visitar"),
    Verb("finish", "finished", "terminar", heavy="finalize"),
    Verb("use", "used", "usar", heavy="utilize"),
    Verb("break", "broke", "romper"),
    Verb("lose", "lost", "perder", "pierd"),
    Verb("receive", "received", "recibir"),
    Verb("draw", "drew", "dibujar"),
    Verb("watch", "watched", "mirar"),
)
DETERMINERS = (
    Determiner("the", ("el", "la", "los", "las")),
    Determiner("a", ("un", "una", "", "")),
    Determiner("this", ("este", "esta", "estos", "estas"), "these"),
    Determiner("my", ("mi", "mi", "mis", "mis")),
    Determiner("our", ("nuestro", "nuestra", "nuestros", "nuestras")),
    Determiner("each", ("cada", "cada", "", "")),
    Determiner("two", ("", "", "dos", "dos")),
    Determiner("three", ("", "", "tres", "tres")),
    Determiner("many", ("", "", "muchos", "muchas")),
)
CONNECTIVES = (
    Particle("and", "y"),
    Particle("but", "pero", heavy="nevertheless"),
    Particle("because", "porque"),
    Particle("when", "cuando"),
    Particle("while", "mientras"),
    Particle("although", "aunque", heavy="notwithstanding"),
)
TIMES = {
    "past": Particle("yesterday", "ayer"),
    "present": Particle("today", "hoy"),
    "future": Particle("tomorrow", "mañana"),
}
"""By the tense that goes with them."""
