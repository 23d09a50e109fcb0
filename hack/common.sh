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

known_variant() {
  [[ -d deploy/overlays/$VARIANT ]] || die "no such VARIANT: $VARIANT (there are: $(cd deploy/overlays && echo *))"
}

# The kubeconfig of a cluster that `make e2e-cluster` made: a file of its own, never ~/.kube/config.
kubeconfig_of() { echo "$root/.cache/kubeconfig-$1"; }
