/** What KEDA scales: a Deployment's `spec.replicas`, in the demo a consumer group's size or a number of runners. */
export interface Workload {
  /** What was asked for last; the members that run follow it in their own time. */
  readonly replicas: number;
  scale(replicas: number): void;
}

/** A workload that can be watched, and ended. */
export interface Crew extends Workload {
  /** Members that have started. */
  readonly running: number;
  close(): Promise<void>;
}
