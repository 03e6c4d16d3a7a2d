import type { Run } from './run.ts';

export interface Permissions {
  readonly actions?: 'read' | 'write';
  readonly metadata?: 'read';
}

export interface Owner {
  readonly id: number;
  readonly login: string;
  readonly type: 'Organization' | 'User';
  /** Undefined if the App is not installed here. */
  readonly installationId: number | undefined;
  permissions: Permissions;
}

export interface Repo {
  readonly id: number;
  owner: Owner;
  name: string;
  fullName: string;
  readonly private: boolean;
  readonly archived: boolean;
  readonly createdAtMs: number;
  /** Newest first. */
  readonly runs: Run[];
  /** The runs that REST still shows as not completed, and perhaps a few more. */
  readonly open: Set<Run>;
}
