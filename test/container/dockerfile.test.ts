import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { contextPaths } from './context.ts';
import { assignments, execForm, parseDockerfile } from './dockerfile.ts';
import { dockerfile } from './use-image.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const stages = dockerfile();
const last = stages.at(-1) ?? { base: '', name: undefined, instructions: [] };
const textOf = (name: string): string => last.instructions.find((one) => one.name === name)?.text ?? '';

describe('the Dockerfile', () => {
  it('stands on Node 24 in every stage, the last one without a shell', () => {
    expect(stages.map(({ base }) => base)).toEqual([
      'node:24-bookworm-slim',
      'node:24-bookworm-slim',
      'gcr.io/distroless/nodejs24-debian13:nonroot',
    ]);
  });

  it('runs nothing in the last stage, which has nothing to run it with', () => {
    expect(last.instructions.map(({ name }) => name)).not.toContain('RUN');
  });

  it('is nobody, by number', () => expect(textOf('USER')).toBe('65532:65532'));

  it('serves the configuration that is mounted', () => {
    expect([execForm(last, 'ENTRYPOINT'), execForm(last, 'CMD')]).toEqual([
      ['/nodejs/bin/node', 'dist/main.js'],
      ['serve', '--config', '/etc/backlog-scaler/config.yaml'],
    ]);
  });

  it('says what it is, by the names of the OCI image specification', () => {
    const given = {
      VERSION: '1.2.3',
      COMMIT: 'abc',
      CREATED: '2026-11-22T00:00:00Z',
      SOURCE: 'https://here',
    };
    const { description } = JSON.parse(readFileSync(`${repository}package.json`, 'utf8'));
    expect(assignments(textOf('LABEL'), given)).toEqual({
      'org.opencontainers.image.title': 'backlog-scaler',
      'org.opencontainers.image.description': description,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': '1.2.3',
      'org.opencontainers.image.revision': 'abc',
      'org.opencontainers.image.created': '2026-11-22T00:00:00Z',
      'org.opencontainers.image.source': 'https://here',
    });
  });

  it('copies all that the context lets through, and nothing else', () => {
    const copied = stages.flatMap(({ instructions }) =>
      instructions
        .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from='))
        .flatMap(({ text }) => text.split(/\s+/).slice(0, -1)),
    );
    expect([...new Set(copied)].toSorted()).toEqual([...contextPaths(repository)].toSorted());
  });
});

describe('what reads it', () => {
  it('joins lines that go on, and skips comments among them', () => {
    const [stage] = parseDockerfile(
      '# c\nFROM --platform=$P a:1 AS b\nENV A=1 \\\n    # c\n    B="two words"\n',
    );
    expect(stage).toEqual({
      base: 'a:1',
      name: 'b',
      instructions: [{ name: 'ENV', text: 'A=1 B="two words"' }],
    });
    expect(assignments('A=1 B="two words" C=${D}', { D: 'd' })).toEqual({ A: '1', B: 'two words', C: 'd' });
  });

  it('takes no command that needs a shell', () => {
    const [stage] = parseDockerfile('FROM a\nCMD node dist/main.js\n');
    expect(() => stage && execForm(stage, 'CMD')).toThrow(/needs a shell/);
  });
});
