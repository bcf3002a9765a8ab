"""Rules that no schema knows, for rendered manifests; writes the files of their ConfigMaps into a folder.

    manifests.py RENDERED.yaml FOLDER
"""

import pathlib
import sys

import yaml

rendered, folder = map(pathlib.Path, sys.argv[1:])
documents = [document for document in yaml.safe_load_all(rendered.read_text()) if document]
folder.mkdir()
faults = []


def of_kind(kind):
    return [document for document in documents if document["kind"] == kind]


def selects(selector, labels):
    return selector.items() <= labels.items()


pods = [deployment["spec"]["template"] for deployment in of_kind("Deployment")]
for config in of_kind("ConfigMap"):
    for name, text in config["data"].items():
        (folder / name).write_text(text)

for pod in pods:
    labels, containers = pod["metadata"]["labels"], pod["spec"]["containers"]
    gateways = [container for container in containers if container["name"] == "aclgate"]
    if len(gateways) != 1:
        faults.append(f"{labels}: {len(gateways)} gateways")
        continue
    gateway = gateways[0]
    context = gateway["securityContext"]
    if not (context["runAsNonRoot"] and context["readOnlyRootFilesystem"] and context["capabilities"]["drop"] == ["ALL"]):
        faults.append(f"{labels}: the gateway may do too much")
    for container in containers:
        if not container["securityContext"]["runAsNonRoot"] or container["securityContext"]["allowPrivilegeEscalation"]:
            faults.append(f"{container['name']} may become root")
        if container is not gateway and "ports" in container:
            faults.append(f"{container['name']} offers ports beside the gateway")
    grace = pod["spec"]["terminationGracePeriodSeconds"]
    if gateway["lifecycle"]["preStop"]["sleep"]["seconds"] + 30 + 5 > grace:
        faults.append(f"{grace} s are not enough to drain")
    offered = {port["name"] for port in gateway["ports"]}
    for service in of_kind("Service"):
        if selects(service["spec"]["selector"], labels):
            wanted = {port["targetPort"] for port in service["spec"]["ports"]}
            if not wanted <= offered:
                faults.append(f"the Service {service['metadata']['name']} leads past the gateway: {wanted}")
        else:
            faults.append(f"the Service {service['metadata']['name']} selects nothing")
    for policy in of_kind("NetworkPolicy"):
        if selects(policy["spec"]["podSelector"]["matchLabels"], labels):
            for rule in policy["spec"]["ingress"]:
                ports = {port["port"] for port in rule["ports"]}
                among_themselves = any(
                    selects(peer.get("podSelector", {}).get("matchLabels", {"": None}), labels) for peer in rule["from"]
                )
                if not (ports <= {8080, 9091} or among_themselves):
                    faults.append(f"the NetworkPolicy {policy['metadata']['name']} opens {ports} beside the gateway")
    for budget in of_kind("PodDisruptionBudget"):
        if not selects(budget["spec"]["selector"]["matchLabels"], labels):
            faults.append("the PodDisruptionBudget selects nothing")

print("\n".join(faults))
sys.exit(bool(faults) or not pods)
