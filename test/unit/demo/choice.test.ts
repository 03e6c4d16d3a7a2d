import { describe, expect, it } from 'vitest';
import { type Choice, choose } from '../../../demo/choice.ts';
import type { Story } from '../../../demo/story.ts';

function story(name: string, missing?: string): Story {
  return {
    name,
    speed: 1,
    fullBar: 1,
    missing: async () => missing,
    tell: async () => ({ kept: true, lines: [] }),
  };
}

async function chosen(choice: Partial<Choice>, missing: { sqs?: string; kafka?: string } = {}) {
  const stories = {
    byDefault: [story('sqs', missing.sqs), story('github')],
    kafka: story('kafka', missing.kafka),
  };
  const said: string[] = [];
  const told = await choose(stories, { story: undefined, kafka: false, keep: false, ...choice }, (line) =>
    said.push(line),
  );
  return { told: told.map(({ name }) => name), said };
}

describe('choose', () => {
  it.each<[Partial<Choice>, string[]]>([
    [{}, ['sqs', 'github']],
    [{ kafka: true }, ['sqs', 'github', 'kafka']],
    [{ story: 'sqs' }, ['sqs']],
    [{ story: 'kafka' }, ['kafka']],
    [{ story: 'github', kafka: true }, ['github', 'kafka']],
  ])('%j', async (choice, names) => {
    expect(await chosen(choice)).toEqual({ told: names, said: [] });
  });

  it('leaves out stories that cannot be told here, and says why', async () => {
    expect(await chosen({}, { sqs: 'no SQS here' })).toEqual({
      told: ['github'],
      said: ['The sqs story is left out: no SQS here'],
    });
  });

  it('does not look for Java unless Kafka is wanted', async () => {
    expect((await chosen({}, { kafka: 'no Java' })).said).toEqual([]);
  });

  it.each<[Partial<Choice>, string]>([
    [{ kafka: true }, 'no Java'],
    [{ story: 'sqs' }, 'no SQS here'],
  ])('ends at once if %j cannot be told', async (choice, message) => {
    await expect(chosen(choice, { sqs: 'no SQS here', kafka: 'no Java' })).rejects.toMatchObject({
      code: 'unavailable',
      message,
    });
  });
});
