"""What in a text looks secret whatever its key is called: credentials, tokens, passwords.

Takes a text, gives it with those parts masked and all else as it is. Linear in the text's length.
"""

import re
from typing import Final

from .mask import MASK

__all__ = ["asks_for_secret", "masked"]

_HINT: Final = re.compile(
    r"://|[=@]|--|-----|bearer|basic|token|password|identified|passwd|pwd|secret|gh[a-z]_|github_pat_|glpat-|"
    r"AKIA|ASIA|xox|xapp-|k_live|k_test|whsec|sk-|AIza|eyJ|SG\.|npm_|pypi-|hf_|dop_v|ya29|hvs\.|"
    r"bot\d|\d:|gl[a-z]{2,5}-|key|authorization|shp[a-z]{2}_|sntry|lin_api|ntn_|dapi|GOCSPX|1//0|"
    r"sbp_|-p|-u|-a ",
    re.IGNORECASE,
)
# Behind `://` a user's name and an `@`, or a name and a colon that begins no port. The scheme is
# not matched: from each letter of a long text such a search would go to its end.
_USER_INFO: Final = re.compile(
    r"(?<=[a-z0-9+.-])://(?:[^/?#]*@|[^/?#:]*:(?![0-9]{1,5}[/?#]))", re.IGNORECASE
)
_QUERY: Final = re.compile(r"(?<=\?)[^\s\"'<>]+")
_HARMLESS: Final = frozenset({
    "application_name", "authsource", "charset", "connect_timeout", "database", "db",
    "directconnection", "encoding", "format", "lang", "limit", "page", "pool_size", "protocol",
    "replicaset", "retrywrites", "schema", "search_path", "serverversion", "socket_timeout", "ssl",
    "sslmode", "target_session_attrs", "timeout", "timezone", "tls", "v", "vhost", "w",
})  # fmt: skip
"""Parameters of a URL whose values are shown."""

_SECRET_WORDS: Final = (
    r"pass(?:w(?:or)?d|code|phrase)?|pwd|pw|secret|token|access_?key|account_?key|"
    r"shared_?access_?key|api_?-?key|"
    r"client_?-?secret|auth_?-?token|sig|signature"
)
_SECRET_NAME: Final = re.compile(rf"(?:.{{0,100}}[_.-])?(?:{_SECRET_WORDS}|key)", re.IGNORECASE)
_SHORT_VALUE: Final = 6
_ASSIGNED: Final = re.compile(
    rf"((?<![a-z])(?:[a-z]{{1,20}}[_-]){{0,3}}(?:[a-z]{{1,8}}(?=passw|secret)|ssh(?=pass))?"
    rf"(?:{_SECRET_WORDS}) {{0,3}}= {{0,3}})"
    r"(\"[^\"]*\"|'[^']*'|[^\s;&,\"']+)",
    re.IGNORECASE,
)
_OPTION: Final = re.compile(
    rf"(--(?:[a-z]{{1,20}}-){{0,3}}(?:{_SECRET_WORDS})[ =]+)(\"[^\"]*\"|'[^']*'|[^\s\"']+)",
    re.IGNORECASE,
)
_SHORT_OPTION: Final = re.compile(
    r"((?:(?:mysql|mariadb|mongo)\S*\s(?:.{0,200}\s)?-p|sshpass\s+-p\s*|redis-cli\s(?:.{0,200}\s)?-a\s*))"
    r"(\S+)"
)
_USER_OPTION: Final = re.compile(r"((?:^|\s)(?:-u|--user)[ =]?[^\s:=]{1,100}:)(\S+)")
_SCHEME: Final = re.compile(
    r"((?i:bearer|basic|token|apikey)\s+)(?=\S*[0-9=]|\S*[a-z][A-Z])([A-Za-z0-9+/=_.~-]{6,})"
)
_HEADER: Final = re.compile(
    r"((?<![A-Za-z])(?:x-)?(?:[a-z]{1,20}-){0,3}"
    r"(?:api-?key|(?:auth|access)-?token|authorization) {0,3}: {0,3}"
    r"(?:(?:bearer|basic|token) +)?)([^\s\"',;]+)",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(
    rf"(\"(?:[a-z]{{1,20}}[_-]?){{0,3}}(?:{_SECRET_WORDS})\" {{0,3}}: {{0,3}}\")([^\"]+)",
    re.IGNORECASE,
)
"""In a text that is JSON itself."""
_STATED: Final = re.compile(
    r"((?:\blogin\s+\S{1,200}\s+password\s+|\bpassword\s+(?=')|\bidentified\s+by\s+(?=')))"
    r"('[^']*'|\S+)",
    re.IGNORECASE,
)
"""In the text of a `.netrc`, or in SQL that makes a user."""
_SHAPES: Final = re.compile(
    r"gh[opusr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|"
    r"gl(?:pat|rt|ptt|dt|cbt|soat|imt|ft|agent|oas)-[\w-]{16,}|(?:AKIA|ASIA)[A-Z0-9]{16}|"
    r"xox[a-z]-[\w-]+|xapp-\d-[\w-]+|[srw]k_(?:live|test)_\w+|whsec_\w+|sk-[\w-]{16,}|AIza[\w-]{6,}|"
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|SG\.[\w-]{16,}[.\w-]*|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{16,}|"
    r"hf_[A-Za-z0-9]{20,}|dop_v1_[a-f0-9]{20,}|ya29\.[\w-]{16,}|hvs\.[\w-]{16,}|"
    r"(?<=bot)\d+:[\w-]+|(?<!\d)\d{8,10}:[\w-]{35}(?![\w-])|AGE-SECRET-KEY-1\w+|"
    r"shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{16,}|sntry[su]_[\w=-]{16,}|lin_api_\w{16,}|ntn_\w{20,}|"
    r"dapi[a-f0-9]{32}|(?<![\w-])key-[a-f0-9]{32}(?!\w)|GOCSPX-[\w-]{16,}|1//0[\w-]{20,}|sbp_[a-f0-9]{32,}"
)
_HOOK: Final = re.compile(r"(://(?:hooks\.|[^/\s]*webhook)[^/\s]*/|/(?:api/)?webhooks?/)(\S+)")


_ASKS: Final = re.compile(rf"--(?:[a-z]{{1,20}}-){{0,3}}(?:{_SECRET_WORDS})", re.IGNORECASE)


def asks_for_secret(argument: object) -> bool:
    """Return whether what follows an argument of a command is a secret: `--password`."""
    return isinstance(argument, str) and _ASKS.fullmatch(argument) is not None


def masked(text: str) -> str:
    """Return a text with what looks secret in it replaced by `***`."""
    if _HINT.search(text) is None:
        return text
    if "PRIVATE KEY" in text and "-----" in text:
        return MASK
    if "://" in text:
        text = _without_credentials(text)
    text = _SHAPES.sub(MASK, text)
    for pattern in (_HEADER, _QUOTED, _STATED, _SCHEME, _OPTION, _SHORT_OPTION, _USER_OPTION):
        text = pattern.sub(_second_masked, text)
    return _ASSIGNED.sub(_second_masked, text) if "=" in text else text


def _second_masked(found: re.Match[str]) -> str:
    return found[1] + MASK


def _without_credentials(text: str) -> str:
    """Mask of each URL the user and password, and the parameters that are not known as harmless."""
    words = re.split(r"(\s+)", text)
    for at, word in enumerate(words):
        if "://" not in word:
            continue
        if "@" in word:
            end = word.rindex("@") + 1
            found = _USER_INFO.search(word, 0, end)
            if found is not None:
                word = word[: found.start()] + f"://{MASK}@" + word[end:]
        word = _HOOK.sub(_second_masked, word)
        words[at] = _QUERY.sub(_parameters_masked, word)
    return "".join(words)


def _parameters_masked(found: re.Match[str]) -> str:
    query, mark, fragment = found[0].partition("#")
    parts = query.split("&")
    shown = [part for part in parts if _is_harmless(*part.partition("="))]
    if len(shown) < len(parts):
        return "&".join([*shown, MASK])
    return query + mark + (masked(fragment) if len(fragment) < _SHORT_VALUE else MASK * bool(mark))


def _is_harmless(name: str, mark: str, value: str) -> bool:
    if not mark:
        return len(name) < _SHORT_VALUE
    if _SECRET_NAME.fullmatch(name):
        return False
    return name.lower() in _HARMLESS or len(value) < _SHORT_VALUE
