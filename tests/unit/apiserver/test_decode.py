"""Decoding as Go does it: unknown fields, values of the wrong type, what is left out and what is filled in.

Messages are those of kube-apiserver v1.34.4. Left out: bodies that are no JSON and fields that stand there twice, which
are found before (test_codec); quantities and times, which have test modules of their own.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from support.builtin_kinds import decoded, kind_of, pod
from twinloop.apiserver.builtin import decode, shapes
from twinloop.apiserver.builtin.readers import Trail
from twinloop.apiserver.builtin.scalars import Unreadable
from twinloop.apiserver.failures import Failure

PODS, CONFIG_MAPS, SECRETS = kind_of("Pod"), kind_of("ConfigMap"), kind_of("Secret")


def message(body: Any) -> Any:
    with pytest.raises(Failure) as failure:
        decoded(PODS, body)
    assert (failure.value.code, failure.value.reason) == (400, "BadRequest")
    return failure.value.message.removeprefix('Pod in version "v1" cannot be handled as a Pod: ')


FIELD = "json: cannot unmarshal {0} into Go struct field {1} of type {2}"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (pod({"containers": "x"}), ("string", "PodSpec.spec.containers", "[]v1.Container")),
        (pod({"containers": [5]}), ("number", "PodSpec.spec.containers", "v1.Container")),
        (pod(image=5), ("number", "Container.spec.containers.image", "string")),
        (pod(image=True), ("bool", "Container.spec.containers.image", "string")),
        (pod(image={}), ("object", "Container.spec.containers.image", "string")),
        (pod(image=[]), ("array", "Container.spec.containers.image", "string")),
        (pod(command="sh"), ("string", "Container.spec.containers.command", "[]string")),
        (pod(command=[1]), ("number", "Container.spec.containers.command", "string")),
        (pod(env={"a": "b"}), ("object", "Container.spec.containers.env", "[]v1.EnvVar")),
        (
            pod(ports=[{"containerPort": "80"}]),
            ("string", "ContainerPort.spec.containers.ports.containerPort", "int32"),
        ),
        (
            pod(ports=[{"containerPort": 1.5}]),
            ("number 1.5", "ContainerPort.spec.containers.ports.containerPort", "int32"),
        ),
        (
            pod(ports=[{"containerPort": 3_000_000_000}]),
            ("number 3000000000", "ContainerPort.spec.containers.ports.containerPort", "int32"),
        ),
        (pod({"hostNetwork": "yes"}), ("string", "PodSpec.spec.hostNetwork", "bool")),
        (pod({"restartPolicy": 1}), ("number", "PodSpec.spec.restartPolicy", "v1.RestartPolicy")),
        (
            pod({"terminationGracePeriodSeconds": "5"}),
            ("string", "PodSpec.spec.terminationGracePeriodSeconds", "int64"),
        ),
        (pod({"nodeSelector": []}), ("array", "PodSpec.spec.nodeSelector", "map[string]string")),
        (pod({"nodeSelector": {"a": 1}}), ("number", "PodSpec.spec.nodeSelector", "string")),
        (pod({"securityContext": []}), ("array", "PodSpec.spec.securityContext", "v1.PodSecurityContext")),
        ({"metadata": {"labels": {"a": True}}}, ("bool", "ObjectMeta.metadata.labels", "string")),
        ({"metadata": "x"}, ("string", "Pod.metadata", "v1.ObjectMeta")),
        ({"metadata": {"uid": 5}}, ("number", "ObjectMeta.metadata.uid", "types.UID")),
        ({"metadata": {"creationTimestamp": 5}}, ("number", "ObjectMeta.metadata.creationTimestamp", "string")),
        ({"spec": []}, ("array", "Pod.spec", "v1.PodSpec")),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_in_words_of_go(body: Any, expected: Any) -> None:
    assert message(body) == FIELD.format(*expected)


def test_the_first_fault_in_the_body_is_told() -> None:
    body = {"spec": {"hostNetwork": 1, "containers": 2}, "metadata": 3}
    assert "PodSpec.spec.hostNetwork" in message(body)
    assert "Pod.metadata" in message({"metadata": 3, "spec": 2})


def test_a_port_may_be_a_number_or_a_name_and_nothing_else() -> None:
    body, _ = decoded(
        PODS, pod(readinessProbe={"httpGet": {"port": "http"}}, livenessProbe={"tcpSocket": {"port": 80}})
    )
    container = body["spec"]["containers"][0]
    assert (container["readinessProbe"]["httpGet"]["port"], container["livenessProbe"]["tcpSocket"]["port"]) == (
        "http",
        80,
    )
    assert message(pod(readinessProbe={"httpGet": {"port": True}})) == FIELD.format(
        "bool", "HTTPGetAction.spec.containers.readinessProbe.httpGet.port", "int32"
    )


@pytest.mark.parametrize(
    ("body", "unknown"),
    [
        (pod({"colour": 1}), ["spec.colour"]),
        (pod(colour={"a": 1}), ["spec.containers[0].colour"]),
        (pod(ports=[{"containerPort": 1}, {"port": 2}]), ["spec.containers[0].ports[1].port"]),
        ({**pod(), "colour": 1}, ["colour"]),
        ({"metadata": {"name": "a", "colour": 1, "size": 2}}, ["metadata.colour", "metadata.size"]),
        (pod({"affinity": {"nodeAffinity": {"x": 1}}}), ["spec.affinity.nodeAffinity.x"]),
        ({**pod(), "status": {"x": 1}}, ["status.x"]),
        (pod({"nodeSelector": {"anything": "goes"}}), []),
    ],
)
def test_unknown_fields_are_named_and_dropped(body: Any, unknown: Any) -> None:
    obj, problems = decoded(PODS, body)
    assert problems == [f'unknown field "{path}"' for path in unknown]
    assert decoded(PODS, obj)[1] == []


def test_an_unknown_field_is_told_once_and_at_most_a_hundred_are_told() -> None:
    many = pod({f"x{number}": 1 for number in range(150)})
    assert len(decoded(PODS, many)[1]) == 100


def test_names_are_case_sensitive() -> None:
    assert decoded(PODS, pod({"hostnetwork": True}))[1] == ['unknown field "spec.hostnetwork"']


def test_nulls_are_as_good_as_nothing() -> None:
    obj, problems = decoded(PODS, pod({"hostNetwork": None, "affinity": None, "nodeSelector": None}, ports=None))
    assert problems == []
    assert not obj["spec"].keys() & {"hostNetwork", "affinity", "nodeSelector"}
    assert "ports" not in obj["spec"]["containers"][0]


def test_nulls_in_lists_and_maps_are_zero_values() -> None:
    obj, _ = decode.read("core.Pod", pod({"nodeSelector": {"a": None}}, command=[None], env=[None]))
    container = obj["spec"]["containers"][0]
    assert (obj["spec"]["nodeSelector"], container["command"], container["env"]) == ({"a": ""}, [""], [{"name": ""}])


def test_empty_optional_values_are_left_out() -> None:
    given = {
        "hostNetwork": False,
        "nodeName": "",
        "tolerations": [],
        "nodeSelector": {},
        "priority": 0,
        "automountServiceAccountToken": False,
    }
    spec = decode.read("core.Pod", pod(given))[0]["spec"]
    assert spec.keys() - {"containers"} == {
        "priority",
        "automountServiceAccountToken",
    }  # pointers: a zero that was said


def test_fields_that_go_always_writes_are_there() -> None:
    found, _ = decode.read("core.Pod", {})
    assert found == {"metadata": {}, "spec": {"containers": None}, "status": {}}
    assert decode.read("core.Pod", pod())[0]["spec"]["containers"][0]["resources"] == {}
    assert decode.read("rbac.Role", {})[0]["rules"] is None
    assert decode.read("core.Event", {})[0]["eventTime"] is None
    assert decode.read("core.Event", {})[0]["reportingComponent"] == ""


def test_creation_timestamp_is_not_written_when_there_is_none() -> None:
    obj, _ = decode.read("apps.Deployment", {"spec": {"template": {"metadata": {"creationTimestamp": None}}}})
    assert obj["spec"]["template"]["metadata"] == {}


def test_the_body_is_not_changed_by_reading() -> None:
    body = pod({"colour": 1, "hostNetwork": False}, resources={"limits": {"cpu": 0.5}})
    before = copy.deepcopy(body)
    decode.read("core.Pod", body)
    assert body == before


def test_reading_what_was_read_changes_nothing() -> None:
    once, _ = decode.read("core.Pod", pod({"volumes": [{"name": "v"}]}, resources={"limits": {"cpu": 0.5}}))
    assert decode.read("core.Pod", once) == (once, [])


@pytest.mark.parametrize(
    ("text", "byte"),
    [
        ("A", 0),
        ("AA", 0),
        ("AAAAA", 4),
        ("A*A=", 1),
        ("AA=A", 2),
        ("AAAA=", 4),
        ("=AAA", 0),
        ("AA=", 3),
        ("AAA=A", 4),
        ("AA==A", 4),
        ("A A=", 1),
    ],
)
def test_text_that_is_no_base64_is_refused_at_the_byte_where_go_stops(text: Any, byte: Any) -> None:
    with pytest.raises(Failure, match=f"illegal base64 data at input byte {byte}$"):
        decoded(SECRETS, {"data": {"a": text}})


@pytest.mark.parametrize(
    ("given", "kept"),
    [("", ""), ("AAAA", "AAAA"), ("AA==", "AA=="), ("AAA=\n", "AAA="), ("AAB=", "AAA="), ("AA\r\nAA", "AAAA")],
)
def test_base64_is_written_back_without_line_breaks_and_stray_bits(given: Any, kept: Any) -> None:
    assert decoded(SECRETS, {"data": {"a": given}})[0].get("data") == {"a": kept}


def test_data_is_bytes_and_a_number_is_none() -> None:
    with pytest.raises(Failure, match=r"cannot unmarshal number into Go struct field Secret\.data of type \[\]uint8"):
        decoded(SECRETS, {"data": {"a": 5}})


def test_a_schema_in_a_definition_may_be_itself_nested_or_a_bool() -> None:
    inner = {"properties": {"a": {"type": "object", "additionalProperties": True}, "b": {"items": {"type": "string"}}}}
    body = {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": inner}}]}}
    obj, problems = decode.read("apiextensions.CustomResourceDefinition", body)
    assert problems == []
    assert obj["spec"]["versions"][0]["schema"]["openAPIV3Schema"] == inner


def test_an_unknown_field_of_a_nested_schema_is_found() -> None:
    inner = {"properties": {"a": {"colour": 1}}}
    body = {"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": inner}}]}}
    _, problems = decode.read("apiextensions.CustomResourceDefinition", body)
    assert problems == ['unknown field "spec.versions[0].schema.openAPIV3Schema.properties.a.colour"']


def test_a_value_that_is_no_object_at_all_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"cannot unmarshal array into Go value of type v1\.Pod"):
        decode.read("core.Pod", [])


def test_every_kind_has_a_reader() -> None:
    for group, package in decode.PACKAGES.items():
        assert group == "" or package
    for name in (
        "core.Pod",
        "policy.Eviction",
        "autoscaling.Scale",
        "authentication.TokenRequest",
        "meta.DeleteOptions",
    ):
        assert shapes.struct(name).read({}, Trail()) is not None


@pytest.mark.parametrize(
    ("later", "told"),
    [
        ({"resources": {"limits": {"cpu": "x"}}}, "quantities must match the regular expression"),
        ({"livenessProbe": {"httpGet": {"port": True}}}, "cannot unmarshal bool into Go struct field HTTPGetAction."),
    ],
)
def test_a_type_that_reads_its_own_json_is_heard_before_the_first_fault(later: Any, told: Any) -> None:
    assert told in message(pod({"hostNetwork": "yes"}, image=5, env=[{"name": []}], **later))


def test_a_fault_is_told_where_no_other_is_final() -> None:
    body = pod({"hostNetwork": "yes"}, image=5, env=[{"name": []}], resources={"limits": {"cpu": "1"}})
    assert "Container.spec.containers.image" in message(body)


def test_a_resource_list_is_called_by_its_name() -> None:
    expected = ("array", "ResourceRequirements.spec.containers.resources.limits", "v1.ResourceList")
    assert message(pod(resources={"limits": []})) == FIELD.format(*expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([104, 105], "aGk="),
        ([], ""),
        (["x"], "string"),
        ([300], "number 300"),
        ([-1], "number -1"),
        ([1.5], "number 1.5"),
    ],
)
def test_bytes_may_be_a_list_of_numbers(value: Any, expected: Any) -> None:
    if all(isinstance(each, int) and 0 <= each < 256 for each in value):
        assert decoded(SECRETS, {"data": {"a": value}})[0]["data"] == {"a": expected}
        return
    with pytest.raises(Failure, match=f"cannot unmarshal {expected} into Go struct field Secret.data of type uint8"):
        decoded(SECRETS, {"data": {"a": value}})
