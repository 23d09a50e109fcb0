"""Strategic merge patch: a merge patch that knows which lists have keys, and what `$patch` and its like tell it to do.

`verbs/patch.py` calls `apply` for application/strategic-merge-patch+json, which only built-in kinds support. The
schema's patch strategies and merge keys come from `typed.py`; lists are put in order by `list_order.py`. Behaviour and
words are those of apimachinery's strategicpatch, whose own mistakes are a bare 500.
"""

from __future__ import annotations

from typing import Any, cast

from twinloop.apiserver import failures, gofmt
from twinloop.apiserver.failures import Failure
from twinloop.apiserver.patches import list_order
from twinloop.apiserver.patches.compare import same
from twinloop.apiserver.patches.typed import Typed

Object = dict[str, Any]
List = list[Any]

DIRECTIVE = "$patch"
RETAIN_KEYS = "$retainKeys"
DELETE_FROM = "$deleteFromPrimitiveList"
SET_ORDER = "$setElementOrder"


def apply(doc: Object, patch: Object, typed: Typed | None) -> Object:
    """The object after the patch; neither argument is changed.

    Raises `Failure`: 415 when the kind has no schema for it, 400 for malformed directives, 500 where kube-apiserver has
    no better word.
    """
    if typed is None:
        raise Failure(415, "UnsupportedMediaType", "strategic merge patch format is not supported")
    return _merge_map(_copied(doc), _copied(patch), typed)


def wrong(why: str) -> Failure:
    """500: the patch cannot be applied, and kube-apiserver answers it as a failure of its own."""
    return Failure(500, "", why)


def _merge_map(original: Object, patch: Object, typed: Typed) -> Object:
    """Merge into `original`, which is the caller's own, as is `patch`."""
    if DIRECTIVE in patch:
        return _whole_map(patch)
    _retain_keys(original, patch)
    for name in [key for key in patch if key.startswith(SET_ORDER)]:
        _set_order(original, patch, name, typed)
    for name, value in patch.items():
        if name.startswith(DELETE_FROM):
            _delete_from(original, _list_name(name, DELETE_FROM, "primitive list"), value, typed)
        elif value is None:
            original.pop(name, None)
        else:
            _merge_value(original, name, value, typed)
    return original


def _whole_map(patch: Object) -> Object:
    """What a map with a directive for all of itself becomes."""
    directive = patch[DIRECTIVE]
    if directive == "replace":
        return {name: value for name, value in patch.items() if name != DIRECTIVE}
    if directive == "delete":
        return {}
    raise _unknown_directive(directive, patch)


def _retain_keys(original: Object, patch: Object) -> None:
    """$retainKeys: what it does not list goes, and the patch may bring nothing else."""
    if RETAIN_KEYS not in patch:
        return
    kept = patch.pop(RETAIN_KEYS)
    brought = [
        name for name, value in patch.items() if value is not None and not name.startswith((DELETE_FROM, SET_ORDER))
    ]
    if not isinstance(kept, list) or any(name not in kept for name in brought):
        raise failures.bad_request("invalid patch format of retainKeys")
    for name in [name for name in original if name not in kept]:
        del original[name]


def _merge_value(original: Object, name: str, value: Any, typed: Typed) -> None:
    """Merge one field, of whatever shape."""
    present = original.get(name)
    if isinstance(present, dict) and isinstance(value, dict):
        below, strategy = _lookup(typed, name)
        original[name] = value if strategy == "replace" else _merge_map(present, value, below)
    elif isinstance(present, list) and isinstance(value, list):
        below, strategy = _lookup(typed, name)
        original[name] = _merge_list(present, value, below) if strategy == "merge" else value
    else:
        _replace_value(original, name, value)


def _replace_value(original: Object, name: str, value: Any) -> None:
    """Take the patch's value as it is, less what is meant as a directive or as nothing."""
    kept, found = _without_directives(_without_nulls(value))
    if kept:
        original[name] = found
    else:
        original.pop(name, None)


def _delete_from(original: Object, name: str, value: Any, typed: Typed) -> None:
    present = original.get(name)
    if value is None:
        original.pop(name, None)
    elif isinstance(present, list) and isinstance(value, list):
        _lookup(typed, name)
        if present or value:
            _check_elements(present, value)
        original[name] = [item for item in present if not _among(item, value)]


def _set_order(original: Object, patch: Object, directive: str, typed: Typed) -> None:
    """$setElementOrder/<list>: merge the list that stands beside it, then put the result into the order given."""
    order, name = _expect_list(patch.pop(directive)), _list_name(directive, SET_ORDER, "setElementOrder list")
    present, brought = _expect_list(original.get(name, [])), _expect_list(patch.get(name, []))
    below, strategy = _lookup(typed, name)
    key = below.merge_key
    list_order.check(brought, order, key)
    if name not in original and name not in patch:
        return
    merged = _merged_for_order(original, patch, name, below if strategy == "merge" else None)
    patch.pop(name, None)
    maps = _check_elements(present, brought)
    original[name] = list_order.ordered(merged, order, present, key, maps=maps)


def _merged_for_order(original: Object, patch: Object, name: str, typed: Typed | None) -> List:
    if name not in patch:
        return cast("List", original[name])
    if name not in original:
        return cast("List", _without_directives(patch[name])[1])
    return _merge_list(original[name], patch[name], typed) if typed else patch[name]


def _merge_list(original: List, patch: List, typed: Typed) -> List:
    """Merge two lists that are to be merged: maps by their key, scalars as a set."""
    if not original and not patch:
        return original
    if not _check_elements(original, patch):
        merged = list_order.deduplicated(original + patch)
        return list_order.ordered(merged, patch, original, "", maps=False)
    key = typed.merge_key
    if not key:
        raise wrong("cannot merge lists without merge key for struct")
    original, patch = _special_elements(original, patch, key)
    merged = _merge_by_key(list(original), patch, key, typed)
    return list_order.ordered(merged, patch, original, key, maps=True)


def _special_elements(original: List, patch: List, key: str) -> tuple[List, List]:
    """Do what elements with a $patch say; what is left to merge, and into what."""
    plain, replaced = [item for item in patch if DIRECTIVE not in item], False
    for item in (item for item in patch if DIRECTIVE in item):
        directive = item[DIRECTIVE]
        if directive == "delete":
            if key not in item:
                raise list_order.no_merge_key(item, key)
            original = [each for each in original if not (key in each and same(each[key], item[key]))]
        elif directive == "replace":
            replaced = True
        elif directive == "merge":
            raise wrong("merging lists cannot yet be specified in the patch")
        else:
            raise _unknown_directive(directive, item)
    return (plain, []) if replaced else (original, plain)


def _merge_by_key(merged: List, patch: List, key: str, typed: Typed) -> List:
    for item in patch:
        if key not in item:
            raise list_order.no_merge_key(item, key)
        at = list_order.index_of(merged, item, key, maps=True) if item[key] is not None else -1
        if at < 0:
            merged.append(item)
        else:
            merged[at] = _merge_map(merged[at], item, typed.element)
    return merged


def _lookup(typed: Typed, name: str) -> tuple[Typed, str]:
    """The schema of a field, and its strategy: replace, merge or none."""
    if typed.kind != "struct":
        raise wrong("merging an object in json but data type is not struct, instead is: map")
    if name not in typed.fields:
        raise wrong(f'unable to find api field in struct {typed.name.rpartition(".")[2]} for the json field "{name}"')
    below = typed.fields[name]
    plain = [strategy for strategy in below.patch_strategies if strategy != "retainKeys"]
    return below, plain[0] if plain else ""


def _list_name(directive: str, prefix: str, what: str) -> str:
    head, slash, name = directive.partition("/")
    if not slash or head != prefix:
        raise failures.bad_request(f"invalid patch format of {what}")
    return name


def _check_elements(*lists: List) -> bool:
    """Whether all elements are maps; they must at least be of one type, and that not a list."""
    items = [item for each in lists for item in each]
    if not items:
        raise wrong("no elements in any of the given slices")
    if isinstance(items[0], list):
        raise Failure(422, "Invalid", "the server rejected our request due to an error in our request", details={})
    if any(_go_type(item) != _go_type(items[0]) for item in items):
        raise wrong(f"list element types are not identical: {gofmt.printed(list(lists))}")
    return isinstance(items[0], dict)


def _expect_list(value: Any) -> List:
    if not isinstance(value, list):
        raise wrong(f"expected a []interface {{}}, but received a {_go_type(value)}")
    return value


def _go_type(value: Any) -> str:
    """What reflection calls a JSON value."""
    names = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool", int: "int64"}
    return names.get(type(value), "%!s(<nil>)" if value is None else "float64")


def _unknown_directive(directive: Any, patch: Object) -> Failure:
    return wrong(f"unknown patch type: {gofmt.printed(directive)} in map: {gofmt.printed(patch)}")


def _among(item: Any, items: List) -> bool:
    return any(same(item, each) for each in items)


def _without_directives(value: Any) -> tuple[bool, Any]:
    """Whether to keep a value at all, and the value without what below it carries a $patch."""
    if isinstance(value, dict):
        kept = {name: _without_directives(each) for name, each in value.items()}
        return DIRECTIVE not in value, {name: each for name, (keep, each) in kept.items() if keep}
    if isinstance(value, list):
        return True, [each for keep, each in map(_without_directives, value) if keep]
    return True, value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
