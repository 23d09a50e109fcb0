# Sourced by the scripts beside it: strict mode, the project's root as working directory, and a few words.
# shellcheck shell=bash
set -o errexit -o nounset -o pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# What the Makefile passes on; the same defaults, so that a script can also be run by itself.
PYTHON=${PYTHON:-python3}
DOCKER=${DOCKER:-docker}
KIND=${KIND:-kind}
KUBECTL=${KUBECTL:-kubectl}
KIND_CLUSTER=${KIND_CLUSTER:-twinloop}
KIND_IMAGE=${KIND_IMAGE:-}
VARIANT=${VARIANT:-handwritten}
CONTEXT=${CONTEXT:-}
YES=${YES:-}
LEADER_ELECT=${LEADER_ELECT:-}
image=${IMG:-twinloop-$VARIANT}:${TAG:-dev}

# An empty KUBECONFIG means "as if it were not set", for every program alike.
[[ -n ${KUBECONFIG:-} ]] || unset KUBECONFIG

operator_namespace=twinloop-system

# Progress goes to stderr: stdout is for what a person may want to pipe on.
say() { echo "==> $*" >&2; }
die() {
  echo "error: $*" >&2
  exit 1
}

# need TOOL...: one clear line for the first program that is missing.
need() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null 2>&1 || die "$tool is not installed or not on PATH; \`make doctor\` says how to get it"
  done
}

need_engine() {
  need "$DOCKER"
  "$DOCKER" version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
    die "$DOCKER is installed but its engine does not answer; \`make doctor\` says more"
}

# kubectl for the context that CONTEXT names, or the current one.
kube() { "$KUBECTL" ${CONTEXT:+--context "$CONTEXT"} "$@"; }

variants=(handwritten kopf)

known_variant() {
  [[ " ${variants[*]} " == *" $VARIANT "* ]] || die "there is no VARIANT $VARIANT; choose from: ${variants[*]}"
  [[ -z $LEADER_ELECT || -d deploy/overlays/$VARIANT-leader-election ]] ||
    die "$VARIANT has no leader election by Lease; LEADER_ELECT=1 is for VARIANT=handwritten"
}

# The kubeconfig of a cluster that `make e2e-cluster` made: a file of its own, never ~/.kube/config.
kubeconfig_of() { echo "$root/.cache/kubeconfig-$1"; }

# guard: says which cluster is about to be changed, and refuses one that does not look like a cluster for trying
# things out, unless CONTEXT names it. Every script that changes a cluster calls this before anything else.
guard() {
  need "$KUBECTL"
  local context=$CONTEXT server
  if [[ -z $context ]]; then
    context=$("$KUBECTL" config current-context 2>/dev/null) ||
      die "no cluster is selected: set KUBECONFIG (\`make e2e-cluster\` prints the line) or CONTEXT"
  fi
  server=$("$KUBECTL" config view --minify --context "$context" --output 'jsonpath={.clusters[0].cluster.server}' 2>/dev/null) ||
    die "the kubeconfig has no context named $context"
  say "context $context, server $server"
  case $context in
    kind-* | kwok-* | twinloop-*) ;;
    *) [[ -n $CONTEXT ]] || die "$context is not named kind-*, kwok-* or twinloop-*; if it is meant, say CONTEXT=$context" ;;
  esac
  kube get --raw /version --request-timeout 10s >/dev/null 2>&1 || die "the API server $server does not answer, or refuses the credentials"
}

install_crd() {
  kube apply --kustomize crds >&2
  kube wait --for condition=Established --timeout 30s --filename crds/nginxpods.yaml >&2
}

# The manifests of VARIANT as they are applied. kubectl has no `kustomize edit`, hence sed for the image.
render() {
  "$KUBECTL" kustomize "deploy/overlays/$VARIANT${LEADER_ELECT:+-leader-election}" | sed "s|image: twinloop-$VARIANT:dev\$|image: $image|"
}

# Whether the operator of a variant is there. Not knowing ends the script: it must not count as a no.
deployed() {
  local found
  found=$(kube --namespace "$operator_namespace" get deployment "twinloop-$1" --ignore-not-found --output name) ||
    die "cannot tell whether twinloop-$1 is deployed"
  [[ -n $found ]]
}

# refuse_beside VARIANT...: dies while one of them is deployed. Two operators never run the same NginxPods by accident.
refuse_beside() {
  local other
  for other in "$@"; do
    ! deployed "$other" ||
      die "twinloop-$other is deployed and would fight over the same NginxPods; first: make undeploy VARIANT=$other"
  done
}
