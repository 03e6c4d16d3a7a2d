import { describe, expect, it } from 'vitest';
import { LiveSubjects } from '../../../../src/sources/github/connection.ts';

const minuteMs = 60_000;
const holding = (subjects: LiveSubjects, repo: string) => [...subjects.holding(repo)].sort();

describe('live subjects', () => {
  it('are woken by the events of their repositories', () => {
    const subjects = new LiveSubjects();
    subjects.read('a/web', ['a/web'], 0);
    subjects.read('a/api,a/web', ['a/api', 'a/web'], 0);
    subjects.read('*', [], 0);
    expect(holding(subjects, 'a/web')).toEqual(['*', 'a/api,a/web', 'a/web']);
    expect(holding(subjects, 'a/api')).toEqual(['*', 'a/api,a/web']);
    expect(holding(subjects, 'a/other')).toEqual(['*']);
  });

  it('are forgotten ten minutes after they were last read', () => {
    const subjects = new LiveSubjects();
    subjects.read('a/web', ['a/web'], 0);
    subjects.read('*', [], 0);
    subjects.read('a/web', ['a/web'], 9 * minuteMs);
    subjects.read('a/api', ['a/api'], 11 * minuteMs);
    expect(holding(subjects, 'a/web')).toEqual(['a/web']);
    subjects.read('a/api', ['a/api'], 20 * minuteMs);
    expect(holding(subjects, 'a/web')).toEqual([]);
    expect(holding(subjects, 'a/api')).toEqual(['a/api']);
    subjects.read('*', [], 20 * minuteMs);
    expect(holding(subjects, 'a/web')).toEqual(['*']);
  });
});
