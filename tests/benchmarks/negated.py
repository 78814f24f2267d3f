"""A claim with its main verb denied, or no longer denied: what a source says that contradicts it.

Only where a rule finds the verb surely: the scope of a denial in a subordinate clause, beside "any" or
"until", or before a coordination is not that of the whole claim.
"""

from __future__ import annotations

import re

from tests.benchmarks.plain import MANNER

_BE = "is|are|was|were"
_MODAL = "can|could|will|would|may|might|must|should"
_AUX = re.compile(rf"\b({_BE}|{_MODAL}|has|have|had|does|do|did)\b")
_NOT = re.compile(rf"\b({_BE}|{_MODAL}|ca|wo|has|have|had|does|do|did)(?:(?: |(?<=can))not\b|n['’]t\b)")
_LEFT_OUT = (
    (re.compile(r"\b(no longer)\b", re.IGNORECASE), "still"),
    (re.compile(r"\b(never) ", re.IGNORECASE), ""),
    (re.compile(rf"\b(?:{_BE}|has|have|had|needs?) (no) (?!longer|one|more|less|later|fewer|matter)"), ""),
)
"""What denies, and what stands in its place where it no longer does."""
_DENIES = re.compile(rf"{MANNER.pattern}|n’t\b|\b(?:hardly|rarely|seldom)\b", re.IGNORECASE)
_ASTRAY = re.compile(
    r"\b(?:any\w*|either|yet|ever|even|unless|until|till|also|too|if|than|whether|because|since|although|though|"
    r"while|whereas|when|whenever|once|who|whom|whose|which|that|where|what|how|why|as)\b|[;:?]",
    re.IGNORECASE,
)
"""Before the verb: whose verb is it? Behind a denial: how far does that reach?"""
_FRONTED = re.compile(
    r"^(?:if|when|whenever|once|although|though|while|whereas|because|since|after|before|as|on|in|"
    r"at|by|from|during|under|for|with|yes|according to)\b[^,;]*, ",
    re.IGNORECASE,
)
_PRESENT = frozenset(
    "costs runs opens closes lasts takes remains contains holds applies pays gets keeps makes gives "
    "goes comes stays works starts begins ends lies stands covers requires includes allows lives means "
    "uses counts belongs offers shows helps leads causes receives owns wants depends rests falls rises "
    "grows loses wins".split()
)
_PAST = dict(
    pair.split(":")
    for pair in (
        "took:take became:become began:begin ran:run went:go came:come gave:give made:make got:get "
        "held:hold kept:keep left:leave lost:lose won:win wrote:write built:build bought:buy brought:bring "
        "sold:sell sent:send spent:spend stood:stand taught:teach caught:catch found:find felt:feel "
        "fell:fall grew:grow led:lead met:meet paid:pay rose:rise said:say spoke:speak wore:wear "
        "broke:break chose:choose drew:draw drove:drive ate:eat flew:fly hid:hide rode:ride sang:sing "
        "sank:sink slept:sleep sought:seek stole:steal understood:understand"
    ).split()
)
_PLAIN = {"applies": "apply", "goes": "go"}
_WITH_E = re.compile(
    r"(?:[cvzu]|[^aeiou]l|[^s]s|[^n]g|[^aeio][aeiou][tdkpb]|[aiou]r|(?<![aeo])in)(?<!visit)(?<!mit)$"
)
"""Stems that had an "e" before "-ed", most of the time: who reads the word takes it for the same."""
_HAS = {"has": "does", "have": "do", "had": "did"}


def negated(claim: str) -> str | None:
    """``claim`` denied where it does not deny, and the reverse; None where a rule would have to guess."""
    fronted = _FRONTED.match(claim)
    start = fronted.end() if fronted else 0
    if fronted and _DENIES.search(fronted[0]):
        return None
    for pattern, instead in _LEFT_OUT:
        found = pattern.search(claim, start)
        if found:
            return _put(claim, found.start(1), found.end(1), instead, start)
    found = _NOT.search(claim, start)
    if found:
        verb = {"ca": "can", "wo": "will"}.get(found[1].lower(), found[1])
        return _put(claim, found.start(), found.end(), verb, start)
    if _DENIES.search(claim):
        return None
    return _denied(claim, start)


def _put(claim: str, start: int, end: int, text: str, main: int) -> str | None:
    """``claim`` with another text in a place, if that is the only denial, and of the main verb."""
    rest = f"{claim[:start]}{claim[end:]}"
    if claim[main:start].endswith(", "):  # "in ink, never in pencil"
        return None
    if _DENIES.search(rest) or _ASTRAY.search(claim, main, start) or _ASTRAY.search(claim, end):
        return None
    return " ".join(f"{claim[:start]}{text}{claim[end:]}".split())


def _denied(claim: str, main: int) -> str | None:
    found = _AUX.search(claim, main)
    if found:
        if found.start() == main or _ASTRAY.search(claim, main, found.start()):
            return None
        if found[1] in _HAS and claim.startswith(" to ", found.end()):
            return f"{claim[: found.start()]}{_HAS[found[1]]} not have{claim[found.end() :]}"
        return f"{claim[: found.end()]} not{claim[found.end() :]}".replace("can not ", "cannot ")
    verbs = [m for m in re.finditer(r"\b[a-z]+\b", claim) if m.start() > main and _base(m[0])]
    if len(verbs) != 1 or _ASTRAY.search(claim, main, verbs[0].start()):
        return None
    verb = verbs[0]
    helper = "does" if verb[0] in _PRESENT else "did"
    return f"{claim[: verb.start()]}{helper} not {_base(verb[0])}{claim[verb.end() :]}"


def _base(word: str) -> str:
    """A verb without its ending; empty for what seems to be none."""
    if word in _PAST:
        return _PAST[word]
    if word in _PRESENT:
        return _PLAIN.get(word, word[:-1])
    if len(word) < 5 or not word.endswith("ed") or word.endswith("eed"):
        return ""
    stem = word[:-2]
    if stem.endswith("i"):
        return f"{stem[:-1]}y"
    if stem[-1] == stem[-2] and stem[-1] not in "lsfz":
        return stem[:-1]
    return f"{stem}e" if _WITH_E.search(stem) else stem
