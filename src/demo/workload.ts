/** What KEDA scales: a Deployment's `spec.replicas`, in the demo a consumer group's size. */
export interface Workload {
  /** What was asked for last; the members that run follow it in their own time. */
  readonly replicas: number;
  scale(replicas: number): void;
}
