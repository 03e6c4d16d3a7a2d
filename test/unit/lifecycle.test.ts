import { describe, expect, it } from 'vitest';
import { Lifecycle, type Part } from '../../src/lifecycle.ts';
import { recordingLog } from '../support/recording-log.ts';

function parts(names: string[], events: string[], failing?: string): Part[] {
  return names.map((name) => ({
    name,
    start: async () => {
      if (name === failing) throw new Error(`${name} is broken`);
      events.push(`start ${name}`);
    },
    stop: async () => {
      events.push(`stop ${name}`);
    },
  }));
}

describe('Lifecycle', () => {
  it('starts in order, stops in the reverse order, and says each state', async () => {
    const events: string[] = [];
    const log = recordingLog();
    const lifecycle = new Lifecycle(log);
    await lifecycle.start(parts(['a', 'b'], events));
    expect(lifecycle.state).toBe('serving');
    await lifecycle.stop('SIGTERM');
    expect(lifecycle.state).toBe('stopped');
    expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a']);
    expect(log.lines.map(({ fields }) => fields)).toEqual([
      { state: 'starting' },
      { state: 'serving' },
      { state: 'draining', why: 'SIGTERM' },
      { state: 'stopped' },
    ]);
  });

  it('stops every part when one does not start', async () => {
    const events: string[] = [];
    const lifecycle = new Lifecycle(recordingLog());
    await expect(lifecycle.start(parts(['a', 'b', 'c'], events, 'b'))).rejects.toThrow('b is broken');
    expect(events).toEqual(['start a', 'stop c', 'stop b', 'stop a']);
    expect(lifecycle.state).toBe('stopped');
  });

  it('continues without a part that does not stop, or fails to', async () => {
    const events: string[] = [];
    const log = recordingLog();
    const lifecycle = new Lifecycle(log);
    const hangs: Part = { name: 'hangs', stop: () => new Promise(() => {}), stopLimitMs: 1 };
    const fails: Part = { name: 'fails', stop: () => Promise.reject(new Error('no')) };
    await lifecycle.start([...parts(['a'], events), hangs, fails]);
    await lifecycle.stop('test');
    expect(events).toEqual(['start a', 'stop a']);
    expect(log.lines.filter(({ level }) => level !== 'info')).toMatchObject([
      { level: 'error', fields: { part: 'fails' } },
      { level: 'warn', fields: { part: 'hangs' } },
    ]);
  });

  it('stops once, however often it is called', async () => {
    const events: string[] = [];
    const lifecycle = new Lifecycle(recordingLog());
    await lifecycle.start(parts(['a'], events));
    await Promise.all([lifecycle.stop('one'), lifecycle.stop('two')]);
    expect(events).toEqual(['start a', 'stop a']);
  });

  it('starts nothing more if it is stopped during the start', async () => {
    const events: string[] = [];
    const lifecycle = new Lifecycle(recordingLog());
    const signal: Part = { name: 'signal', start: () => void lifecycle.stop('SIGTERM'), stop: () => {} };
    await lifecycle.start([...parts(['a'], events), signal, ...parts(['b'], events)]);
    await lifecycle.stop('again');
    expect(events).toEqual(['start a', 'stop b', 'stop a']);
    expect(lifecycle.state).toBe('stopped');
  });
});
