interface Module {
  readonly module: string;
  readonly version: string;
}

/** The versions of Kubernetes' Go modules, and of those that the chart needs in a cluster. `test/keda` also pins KEDA's. */
export const kubernetesModules = {
  kubernetes: { module: 'k8s.io/kubernetes', version: 'v1.37.0' },
  keda: { module: 'github.com/kedacore/keda/v2', version: 'v2.21.0' },
  certManager: { module: 'github.com/cert-manager/cert-manager', version: 'v1.21.2' },
  prometheusOperator: {
    module: 'github.com/prometheus-operator/prometheus-operator',
    version: 'v0.85.0',
  },
  gatewayApi: { module: 'sigs.k8s.io/gateway-api', version: 'v1.3.0' },
} as const satisfies Record<string, Module>;
