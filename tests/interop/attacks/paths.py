"""Spellings of protected paths: every habit of upstreams that is known, alone and joined, some ten thousand."""

import random

from wire import HOST

PROTECTED = ("/oauth2/authorize", "/oauth2/token", "/account/", "/api/v2/users", "/api/status")

SEPARATORS = (
    "// /// %2f %2F %252f %25252f \\ %5c %5C %255c /./ /.// /x/../ /x//../ /%2e/ /x/%2e%2e/ /x/.%2e/ /x/..%2f /x%2f../"
    " /x/..;/ /x/..;a=b/ /;/ /;x=y/ ;/ ;x=y/ ;%2f /%20 %20/ /+/ %c0%af %c0%2f %e0%80%af %f0%80%80%af %u002f %u2215 %uff0f"
    " %ef%bc%8f %e2%88%95 %e2%81%84 %c4%af %09/ /%09 %00/ /%00 %0d/ %0a/ .// ./ %2e/ /.%2f /..%5cx/../ \\/ /\\ %2f%2f"
    " /.;/ /;a/../ /x/%252e%252e/ /%2e%2e/oauth2/ \xaf \xc0\xaf /x/..\\ %25%32%66 %%32%66 %2%66 /x/.../ / /%EF%BB%BF"
).split()

PREFIXES = [""] + (
    "/ // /// /. /./. /.. /../.. /x/.. /x/../x/.. /x/y/../.. /admin/.. /admin/..;/.. /admin/..; /admin/..;/. /admin/..;a=b"
    " /admin/%2e%2e /admin/%2E%2e /admin/.%2e /admin/%2e. /admin/..%2f /admin/..%2f. /admin/..%252f /admin/%252e%252e"
    " /admin/..%5c /admin/..\\ /admin\\.. /admin%5c.. /admin%2f.. /admin;/.. /admin;a=b/.. /admin/;/.. /admin/x/../.."
    " /admin/.;/.. /admin//.. /admin//../.. /admin/./.. /admin/%2e/.. /admin%3f/.. /admin%23/.. /admin%20/.. /admin./.."
    " /admin/..%00 /admin%00/.. /admin/..%20 /admin/..%09 /admin/%20.. /admin/..+ /admin/..%c0%af /admin/%c0%ae%c0%ae"
    " /admin/%e0%80%ae%e0%80%ae /admin/%uff0e%uff0e /admin/%u002e%u002e /admin/%ef%bc%8e%ef%bc%8e /admin/%e2%80%a5"
    " /api/.. /api/..; /api/%2e%2e /api/..%2f /api/..\\ /api;/.. /api/x/../.. /api//../.. /API/.. /user/..;foo=bar"
    " /static/..;foo=bar /%2f /%5c /\\ \\ \\\\ /%2e /%2e%2e /.%2e /; /;x /;x=y /;/ /.; /..; /%3b /.%3b/ /%20 /+ /%09 /%00"
    " //x //x/.. //id.example //admin //admin/.. ///admin/../.. /// /http:// /http:/ /%68ttp:// /?/.. /%3f/.. /%23/.."
    " /x%2f.. /x%2f%2e%2e /x%5c.. /~ /x/%2e%2e%2f /x/..%252f. /x%252f.. /public/../ /.//. /./%2e/. /x/...;/.. /..%2f/.."
    " /\xa0 /\x85 /%a0 /%85 /%c2%a0 /%e2%80%8b /%ef%bb%bf /%c2%ad /\xef\xbb\xbf /%u200b"
).split()
ABSOLUTE = [
    f"http://{HOST}", f"HTTP://{HOST}", f"https://{HOST}", f"http://{HOST}/", f"http://{HOST}//", f"http://{HOST}/.",
    f"http://{HOST}/admin/..", f"http://{HOST}/%2e", f"http://{HOST}\\", f"http://{HOST}/;x", f"http://{HOST}:80",
    f"http://{HOST}/admin/..;/.", f"http://x@{HOST}", f"http:/", "http:", f"http:///{HOST}", f"ftp://{HOST}", f"ws://{HOST}",
    f"http://{HOST.upper()}", f"http://{HOST}?/..", f"http://{HOST}#/..", f"http:\\\\{HOST}", f"http://{HOST}.", "x:",
]  # fmt: skip

SUFFIXES = [""] + (
    "/ // . .. ... /. /./ /.. %20 %20/ + ; ;x ;x=y ;/ ;%2f /; /;x ? ?x ?/../ # #x %23 %23x %3f %3fx %3Fx=y %3b %3bx %00 %00.css"
    " %0a %0d%0a %0a/ %09 .json .css .html .do /x /x/.. /x/../ /x/..;/ /x/..;x /x%2f.. /x%2f..%2f %2f %2F %5c \\ %2e %2e%2e ~ $ * ' \" !"
    " %a0 %85 %c2%a0 %e2%80%8b %ef%bb%bf ::$DATA %uff0e /%2e /%2e%2e%2fx /%2e/ %252f %252e %253f %2500 & &x = %26 , : @ | ^ ` {}"
    " ?client_id=x ?a=b;c ;jsessionid=1 ;jsessionid=1?x ;a=b;c=d %u003f %u003b /\\ /%20 /index.php /.. /%2e. /x/%2e%2e/ \xa0 \x85"
).split()

FOLDS = {"s": ["ſ", "%c5%bf", "Ｓ"], "k": ["K"], "i": ["ı", "%c4%b1", "İ"], "a": ["ａ", "%ef%bd%81", "ª", "%61"], "o": ["ｏ", "º", "%u006f"],
         "u": ["ｕ", "%u0075"], "2": ["²", "２", "%b2"], "t": ["ｔ", "%74", "%2574"], "h": ["ｈ", "ℎ"], "z": ["ｚ"], "v": ["ⅴ", "ｖ"]}  # fmt: skip


def alternating(text):
    return "".join(letter.upper() if number % 2 else letter for number, letter in enumerate(text))


def letters(base):
    """One letter, or all, escaped in every way, or exchanged for one that somebody folds to it."""
    for at in range(1, len(base)):
        code = ord(base[at])
        forms = [f"%{code:02x}", f"%{code:02X}", f"%25{code:02x}", f"%2525{code:02x}", f"%u{code:04x}", f"%U{code:04x}"]
        forms += [f"%c{code >> 6:x}%{0x80 | code & 0x3F:02x}", f"%e0%{0x80 | code >> 6:02x}%{0x80 | code & 0x3F:02x}"]
        forms += [f"%{ord(base[at].upper()):02x}", f"%%{ord('%'):x}{code:02x}", f"%{code:02x}%", base[at] + "\\", base[at] + "%e2%80%8b"]
        forms += FOLDS.get(base[at], [])
        for form in forms:
            yield base[:at] + form + base[at + 1 :]
    for form in ("%{:02x}", "%25{:02x}", "%u{:04x}", "%25u{:04x}", "\\x{:02x}", "&#{};"):
        yield "/" + "".join(form.format(ord(letter)) for letter in base[1:])
        yield "".join(form.format(ord(letter)) for letter in base)
    wide = "".join(chr(ord(letter) + 0xFEE0) if letter != "/" else letter for letter in base)
    yield from (wide, base.upper(), base.title(), alternating(base), base.upper().lower().swapcase())


def separated(base):
    for separator in SEPARATORS:
        if base.strip("/").count("/"):
            yield "/" + base.strip("/").replace("/", separator)
        first, _, rest = base.strip("/").partition("/")
        yield f"/{first}{separator}{rest}"
        yield separator + base.strip("/")


def spellings(seed=7):
    """Targets, most telling first; the same in every run."""
    chance = random.Random(seed)
    plain, joined = [], []
    for base in PROTECTED:
        plain += [base, *letters(base), *separated(base)]
        plain += [prefix + base for prefix in PREFIXES + ABSOLUTE]
        plain += [prefix + base.lstrip("/") for prefix in PREFIXES[1:]]
        plain += [base.rstrip("/") + suffix for suffix in SUFFIXES]
        plain += [alternating(base) + suffix for suffix in SUFFIXES[::3]]
        changed = [*separated(base), *letters(base)]
        for _ in range(1400):
            middle = chance.choice(changed) if chance.random() < 0.6 else chance.choice((base, base.upper(), alternating(base)))
            prefix = chance.choice(PREFIXES if chance.random() < 0.9 else ABSOLUTE)
            joined.append(prefix + middle.rstrip("/") + chance.choice(SUFFIXES))
    chance.shuffle(plain)
    seen = dict.fromkeys(target for target in plain + joined if not set(target) & set(" \r\n"))
    return list(seen)


TOKENS = [token for token in dict.fromkeys(SEPARATORS + SUFFIXES + PREFIXES) if token] + list("%.;/\\+~:@!$&'()*,=") + ["%2e", "%25", "%3b", "..", "..;"]


def mutants(targets, number, seed):
    """A second generation: spellings that an upstream took, changed further in one to three places."""
    chance = random.Random(seed)
    found = {}
    for _ in range(number if targets else 0):
        target = chance.choice(targets)
        for _ in range(chance.choice((1, 1, 2, 3))):
            at = chance.randrange(len(target) + 1)
            match chance.randrange(6):
                case 0 | 1:
                    target = target[:at] + chance.choice(TOKENS) + target[at:]
                case 2:
                    slashes = [place for place, letter in enumerate(target) if letter == "/"] or [0]
                    at = chance.choice(slashes)
                    target = target[:at] + chance.choice(SEPARATORS) + target[at + 1 :]
                case 3:
                    code = f"{ord(target[at : at + 1] or '/'):02x}"
                    target = target[:at] + chance.choice(("%", "%25", "%u00", "%2525")) + code + target[at + 1 :]
                case 4:
                    target = target[:at] + target[at:].swapcase()
                case _:
                    other = chance.choice(targets)
                    target = target[:at] + other[chance.randrange(len(other) + 1) :]
        if not set(target) & set(" \r\n") and target:
            found[target] = None
    return list(found)
