"""What functions there are and what types they take: the declarations that `checker.py` resolves calls with.

One line a function, overloads between bars: `target.name(arguments) result`. A, B and T are type parameters. The list is
that of CEL's standard library and of the libraries that Kubernetes 1.34 adds for CustomResourceDefinitions: those of
1.33, because a new rule must still compile after a rollback by one version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from twinloop.apiserver.schemas.cel.types import Type

_ARITHMETIC = "(int, int) int | (uint, uint) uint | (double, double) double"
_ORDERED = ("int", "uint", "double")
_COMPARED = " | ".join(
    [
        *(f"({left}, {right}) bool" for left in _ORDERED for right in _ORDERED),
        *(f"({each}, {each}) bool" for each in ("bool", "string", "bytes", "timestamp", "duration")),
    ]
)
_FIELDS_OF_TIME = "getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds"
_SUMMED = ("int", "uint", "double", "duration")
_SORTED = (*_SUMMED, "bool", "string", "bytes", "timestamp")

_OPERATORS = f"""
_?_:_ (bool, A, A) A
_&&_ (bool, bool) bool
_||_ (bool, bool) bool
!_ (bool) bool
_==_ (A, A) bool
_!=_ (A, A) bool
_<_ {_COMPARED}
_<=_ {_COMPARED}
_>_ {_COMPARED}
_>=_ {_COMPARED}
_+_ {_ARITHMETIC} | (string, string) string | (bytes, bytes) bytes | (list(A), list(A)) list(A) | (timestamp, duration) timestamp | (duration, timestamp) timestamp | (duration, duration) duration
_-_ {_ARITHMETIC} | (timestamp, timestamp) duration | (timestamp, duration) timestamp | (duration, duration) duration
_*_ {_ARITHMETIC}
_/_ {_ARITHMETIC}
_%_ (int, int) int | (uint, uint) uint
-_ (int) int | (double) double
@in (A, list(A)) bool | (A, map(A, B)) bool
_[_] (list(A), int) A | (map(A, B), A) B | (optional_type(list(A)), int) optional_type(A) | (optional_type(map(A, B)), A) optional_type(B)
_[?_] (list(A), int) optional_type(A) | (optional_type(list(A)), int) optional_type(A) | (map(A, B), A) optional_type(B) | (optional_type(map(A, B)), A) optional_type(B)
"""

_CONVERSIONS = """
int (int) int | (uint) int | (double) int | (string) int | (timestamp) int | (duration) int
uint (uint) uint | (int) uint | (double) uint | (string) uint
double (double) double | (int) double | (uint) double | (string) double
string (string) string | (int) string | (uint) string | (double) string | (bool) string | (bytes) string | (timestamp) string | (duration) string | (kubernetes.IP) string | (kubernetes.CIDR) string
bytes (bytes) bytes | (string) bytes
bool (bool) bool | (string) bool
timestamp (timestamp) timestamp | (string) timestamp | (int) timestamp
duration (duration) duration | (string) duration | (int) duration
dyn (A) dyn
type (A) type
size (string) int | (bytes) int | (list(A)) int | (map(A, B)) int | string.() int | bytes.() int | list(A).() int | map(A, B).() int
matches (string, string) bool | string.(string) bool
"""

_TEXTS = """
contains string.(string) bool
startsWith string.(string) bool
endsWith string.(string) bool
charAt string.(int) string
lowerAscii string.() string
upperAscii string.() string
replace string.(string, string) string | string.(string, string, int) string
split string.(string) list(string) | string.(string, int) list(string)
substring string.(int) string | string.(int, int) string
trim string.() string
join list(string).() string | list(string).(string) string
format string.(list(dyn)) string
strings.quote (string) string
find string.(string) string
findAll string.(string) list(string) | string.(string, int) list(string)
"""

_COLLECTIONS = f"""
indexOf list(A).(A) int | string.(string) int | string.(string, int) int
lastIndexOf list(A).(A) int | string.(string) int | string.(string, int) int
sum {" | ".join(f"list({each}).() {each}" for each in _SUMMED)}
min {" | ".join(f"list({each}).() {each}" for each in _SORTED)}
max {" | ".join(f"list({each}).() {each}" for each in _SORTED)}
isSorted {" | ".join(f"list({each}).() bool" for each in _SORTED)}
first list(A).() optional_type(A)
last list(A).() optional_type(A)
sets.contains (list(A), list(A)) bool
sets.equivalent (list(A), list(A)) bool
sets.intersects (list(A), list(A)) bool
optional.of (A) optional_type(A)
optional.ofNonZeroValue (A) optional_type(A)
optional.none () optional_type(A)
hasValue optional_type(A).() bool
value optional_type(A).() A
or optional_type(A).(optional_type(A)) optional_type(A)
orValue optional_type(A).(A) A
"""

_TIMES = "\n".join(
    [
        *(f"{each} timestamp.() int | timestamp.(string) int" for each in _FIELDS_OF_TIME.split()[:6]),
        *(
            f"{each} timestamp.() int | timestamp.(string) int | duration.() int"
            for each in _FIELDS_OF_TIME.split()[6:]
        ),
    ]
)

_Q, _URL, _IP, _CIDR, _V = (f"kubernetes.{each}" for each in ("Quantity", "URL", "IP", "CIDR", "Semver"))
_FORMAT = "kubernetes.NamedFormat"
_FORMATS = (
    "dns1123Label dns1123Subdomain dns1035Label qualifiedName dns1123LabelPrefix dns1123SubdomainPrefix "
    "dns1035LabelPrefix labelValue uri uuid byte date datetime"
)

_KUBERNETES = f"""
quantity (string) {_Q}
isQuantity (string) bool
sign ({_Q}) int
isGreaterThan {_Q}.({_Q}) bool | {_V}.({_V}) bool
isLessThan {_Q}.({_Q}) bool | {_V}.({_V}) bool
compareTo {_Q}.({_Q}) int | {_V}.({_V}) int
asApproximateFloat {_Q}.() double
asInteger {_Q}.() int
isInteger {_Q}.() bool
add {_Q}.({_Q}) {_Q} | {_Q}.(int) {_Q}
sub {_Q}.({_Q}) {_Q} | {_Q}.(int) {_Q}
semver (string) {_V} | (string, bool) {_V}
isSemver (string) bool | (string, bool) bool
major {_V}.() int
minor {_V}.() int
patch {_V}.() int
url (string) {_URL}
isURL (string) bool
getScheme {_URL}.() string
getHost {_URL}.() string
getHostname {_URL}.() string
getPort {_URL}.() string
getEscapedPath {_URL}.() string
getQuery {_URL}.() map(string, list(string))
ip (string) {_IP} | {_CIDR}.() {_IP}
isIP (string) bool
ip.isCanonical (string) bool
family {_IP}.() int
isUnspecified {_IP}.() bool
isLoopback {_IP}.() bool
isLinkLocalMulticast {_IP}.() bool
isLinkLocalUnicast {_IP}.() bool
isGlobalUnicast {_IP}.() bool
cidr (string) {_CIDR}
isCIDR (string) bool
containsIP {_CIDR}.(string) bool | {_CIDR}.({_IP}) bool
containsCIDR {_CIDR}.(string) bool | {_CIDR}.({_CIDR}) bool
prefixLength {_CIDR}.() int
masked {_CIDR}.() {_CIDR}
validate {_FORMAT}.(string) optional_type(list(string))
format.named (string) optional_type({_FORMAT})
""" + "\n".join(f"format.{each} () {_FORMAT}" for each in _FORMATS.split())


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function: with what, on what (`member`), for what."""

    params: tuple[Type, ...]
    result: Type
    member: bool


@cache
def overloads() -> dict[str, tuple[Overload, ...]]:
    """All functions by name; read when the first rule is compiled."""
    declared = (_OPERATORS, _CONVERSIONS, _TEXTS, _COLLECTIONS, _TIMES, _KUBERNETES)
    lines = [line for each in declared for line in each.splitlines()]
    found = (line.partition(" ") for line in lines if line)
    return {name: tuple(map(_overload, rest.split(" | "))) for name, _, rest in found}


def _overload(text: str) -> Overload:
    head, params, result = _cut(text.strip())
    member = head.endswith(".")
    types = [*([_type(head[:-1])] if member else []), *map(_type, _split(params))]
    return Overload(tuple(types), _type(result), member)


def _cut(text: str) -> tuple[str, str, str]:
    """What stands before the parameters, the parameters, and the result."""
    start = text.index(".(") + 1 if ".(" in text else 0
    depth = 0
    for index in range(start, len(text)):
        depth += (text[index] == "(") - (text[index] == ")")
        if not depth:
            return text[:start], text[start + 1 : index], text[index + 2 :]
    raise ValueError(text)


def _split(text: str) -> list[str]:
    """Cut at commas outside parentheses."""
    return [part.strip() for part in re.split(r",(?![^()]*\))", text) if part.strip()]


def _type(text: str) -> Type:
    name, _, rest = text.partition("(")
    return Type(name, tuple(map(_type, _split(rest[:-1])))) if rest else Type(name)
