"""The example deployment is valid, offline, and its parts name one another."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from llm_data_assets.config.engine import Engine
from llm_data_assets_tests.conftest import PROJECT

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="kubernetes-validate not installed: manifests not validated"
)
DEPLOY = PROJECT / "deploy"
VERSION = "1.32.0"


def manifests(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text()))


def values() -> dict[str, Any]:
    (found,) = manifests("dagster-values.yaml")
    return found


def pods() -> dict[str, dict[str, Any]]:
    """Pod specifications by what they belong to."""
    (cluster,) = manifests("raycluster.yaml")
    spec = cluster["spec"]
    return {
        "head": spec["headGroupSpec"]["template"]["spec"],
        **{each["groupName"]: each["template"]["spec"] for each in spec["workerGroupSpecs"]},
    }


@pytest.mark.parametrize("number", range(5))
def test_volumes_secrets_and_settings_are_kubernetes_own(number: int) -> None:
    kubernetes_validate.validate(manifests("home.yaml")[number], VERSION, strict=True)


def test_a_typing_error_is_found() -> None:
    broken = manifests("home.yaml")[0]
    broken["spec"]["acessModes"] = broken["spec"].pop("accessModes")
    with pytest.raises(kubernetes_validate.ValidationError, match="acessModes"):
        kubernetes_validate.validate(broken, VERSION, strict=True)


@pytest.mark.parametrize("name", ["head", "shards"])
def test_pods_of_the_cluster_are_kubernetes_own(name: str) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pods()[name]}
    kubernetes_validate.validate(pod, VERSION, strict=True)


def test_the_cluster_is_one_that_dagster_ray_knows() -> None:
    specification = pytest.importorskip("dagster_ray.kuberay.configs", reason="no extra `ray`")
    (cluster,) = manifests("raycluster.yaml")
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    known = {_camel(name) for name in specification.RayClusterSpec.model_fields}
    assert set(cluster["spec"]) <= known
    import ray

    assert cluster["spec"]["rayVersion"] == ray.__version__


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)


def test_runs_are_started_as_the_launcher_takes_it() -> None:
    launcher = pytest.importorskip("dagster_k8s", reason="no extra `kubernetes`").K8sRunLauncher
    given = values()["runLauncher"]["config"]["k8sRunLauncher"]
    # What the chart writes into dagster.yaml, and the pod that comes of it.
    config = {
        "service_account_name": "dagster",
        "instance_config_map": "dagster-instance",
        "postgres_password_secret": values()["global"]["postgresqlSecretName"],
        "dagster_home": "/opt/dagster/dagster_home",
        "image_pull_policy": given["imagePullPolicy"],
        "load_incluster_config": given["loadInclusterConfig"],
        "env_config_maps": [each["name"] for each in given["envConfigMaps"]],
        "env_secrets": [each["name"] for each in given["envSecrets"]],
        "volumes": given["volumes"],
        "volume_mounts": given["volumeMounts"],
        "run_k8s_config": {
            "container_config": given["runK8sConfig"]["containerConfig"],
            "job_spec_config": given["runK8sConfig"]["jobSpecConfig"],
        },
    }
    from dagster._config import process_config, resolve_to_config_type

    result = process_config(resolve_to_config_type(launcher.config_type()), config)
    assert result.success, result.errors
    container = {"name": "run", "image": "i", "volumeMounts": given["volumeMounts"],
                 **given["runK8sConfig"]["containerConfig"]}  # fmt: skip
    pod = {
        "spec": {
            "restartPolicy": "Never",
            "containers": [container],
            "volumes": given["volumes"],
        }
    }
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "run"},
           "spec": {**given["runK8sConfig"]["jobSpecConfig"], "template": pod}}  # fmt: skip
    kubernetes_validate.validate(job, VERSION, strict=True)


def test_runs_as_jobs_on_ray_are_started_by_dagster_rays_launcher(tmp_path: Path) -> None:
    pytest.importorskip("dagster_ray", reason="no extra `ray`")
    (tmp_path / "dagster.yaml").write_text((DEPLOY / "ray-jobs.dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert type(instance.run_launcher).__name__ == "RayRunLauncher"


def test_parts_name_one_another() -> None:
    kinds = {(each["kind"], each["metadata"]["name"]) for each in manifests("home.yaml")}
    (location,) = values()["dagster-user-deployments"]["deployments"]
    launcher = values()["runLauncher"]["config"]["k8sRunLauncher"]
    image = f"{location['image']['repository']}:{location['image']['tag']}"
    for pod in pods().values():
        (container,) = pod["containers"]
        assert container["image"] == image
        for source in container["envFrom"]:
            ((kind, reference),) = source.items()
            named = {"configMapRef": "ConfigMap", "secretRef": "Secret"}[kind]
            assert (named, reference["name"]) in kinds
    for part in (location, launcher, *pods().values()):
        (volume,) = part["volumes"]
        assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in kinds
    for part in (location, launcher):
        assert all(("ConfigMap", each["name"]) in kinds for each in part["envConfigMaps"])
        assert all(("Secret", each["name"]) in kinds for each in part["envSecrets"])
    assert ("Secret", values()["global"]["postgresqlSecretName"]) in kinds
    (cluster,) = manifests("raycluster.yaml")
    assert ("Secret", cluster["spec"]["authOptions"]["secretName"]) in kinds
    engine = Engine.model_validate(manifests("pipeline.yaml")[0]["engine"])
    assert engine.address == f"ray://{cluster['metadata']['name']}-head-svc:10001"
