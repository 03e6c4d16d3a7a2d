import { describe, expect, it } from 'vitest';
import { useTools } from '../support/tools/use-tool.ts';
import { cases } from './cases.ts';
import { at, manifest, manifests } from './helm.ts';
import { podOf, restrictedViolations } from './restricted.ts';

const own = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
const pod = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
const good = { securityContext: pod, containers: [{ name: 'a', securityContext: own }] };
const withContainer = (more: object) => ({
  ...good,
  containers: [{ name: 'a', securityContext: own, ...more }],
});
const withContext = (more: object) => withContainer({ securityContext: { ...own, ...more } });

describe('the Pod Security Standard restricted', () => {
  it('admits a pod that follows it', () => {
    expect(restrictedViolations(good)).toEqual([]);
  });

  it.each([
    ['hostNetwork', { ...good, hostNetwork: true }],
    ['hostPID', { ...good, hostPID: true }],
    ['hostIPC', { ...good, hostIPC: true }],
    ['volume hostPath', { ...good, volumes: [{ name: 'v', hostPath: { path: '/' } }] }],
    ['volume nfs', { ...good, volumes: [{ name: 'v', nfs: {} }] }],
    ['sysctl kernel.msgmax', { ...good, securityContext: { ...pod, sysctls: [{ name: 'kernel.msgmax' }] } }],
    ['a: seccompProfile', { ...good, securityContext: { runAsNonRoot: true } }],
    ['a: seccompProfile', withContext({ seccompProfile: { type: 'Unconfined' } })],
    ['a: runAsNonRoot', { ...good, securityContext: { seccompProfile: pod.seccompProfile } }],
    ['a: runAsNonRoot', withContext({ runAsNonRoot: false })],
    ['a: runAsUser', withContext({ runAsUser: 0 })],
    ['a: privileged', withContext({ privileged: true })],
    ['a: allowPrivilegeEscalation', withContext({ allowPrivilegeEscalation: undefined })],
    ['a: capabilities.drop', withContext({ capabilities: { drop: ['NET_RAW'] } })],
    ['a: capabilities.add', withContext({ capabilities: { drop: ['ALL'], add: ['SYS_TIME'] } })],
    ['a: procMount', withContext({ procMount: 'Unmasked' })],
    ['a: seLinuxOptions', withContext({ seLinuxOptions: { type: 'spc_t' } })],
    ['a: appArmorProfile', withContext({ appArmorProfile: { type: 'Unconfined' } })],
    ['a: hostProcess', withContext({ windowsOptions: { hostProcess: true } })],
    ['a: hostPort', withContainer({ ports: [{ hostPort: 80 }] })],
    ['a: host of a probe or hook', withContainer({ livenessProbe: { httpGet: { host: '10.0.0.1' } } })],
  ])('refuses a pod for %s', (violation, podSpec) => {
    expect(restrictedViolations(podSpec)).toEqual([violation]);
  });

  it('checks init containers like the others', () => {
    expect(restrictedViolations({ ...good, initContainers: [{ name: 'i' }] })).toEqual([
      'i: allowPrivilegeEscalation',
      'i: capabilities.drop',
    ]);
  });
});

describe("the chart's pods", () => {
  const tool = useTools('helm-3');
  const ownCases = Object.entries(cases).filter(([name]) => name !== 'more of everything');

  it.each(ownCases)('are admitted: %s', (_, values) => {
    const pods = manifests(tool('helm-3'), values).flatMap((one) => podOf(one) ?? []);
    expect(pods).toHaveLength(2);
    for (const { spec, annotations } of pods) expect(restrictedViolations(spec, annotations)).toEqual([]);
  });

  it('are not, if values say so', () => {
    const deployment = manifest(
      manifests(tool('helm-3'), { securityContext: { privileged: true } }),
      'Deployment',
    );
    expect(restrictedViolations(podOf(deployment)?.spec)).toEqual(['scaler: privileged']);
  });

  it('run as 65532, write only to their volumes, and get no token', () => {
    const podSpec = podOf(manifest(manifests(tool('helm-3')), 'Deployment'))?.spec;
    expect(at(podSpec, 'securityContext', 'runAsUser')).toBe(65532);
    expect(at(podSpec, 'containers', 0, 'securityContext', 'readOnlyRootFilesystem')).toBe(true);
    expect(at(podSpec, 'automountServiceAccountToken')).toBe(false);
  });
});
