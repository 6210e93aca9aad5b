"""The manifests of `deploy/kubernetes`, laid out and checked without a cluster or a binary."""
