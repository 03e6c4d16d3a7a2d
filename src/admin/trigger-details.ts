import { answersOf, refusedAnswers } from '../explain/answers.ts';
import { parameterViews } from '../explain/parameters.ts';
import { explainTrigger } from '../explain/text.ts';
import { ownerOf } from '../triggers/reference.ts';
import type { Triggers } from '../triggers/triggers.ts';
import type { Details } from './page/wire.ts';

const columns = 96;
/** Nobody waits for a first reading here. */
const atOnce = AbortSignal.abort();

/** The details of a trigger's own page. Undefined if there is no trigger of this ID. No secret and no value of a `…FromEnv` is in it. */
export async function triggerDetails(triggers: Triggers, id: string): Promise<Details | undefined> {
  const trigger = triggers.byId(id);
  if (!trigger) return undefined;
  const { reference, refusal } = trigger;
  const { answers } = refusal ? refusedAnswers(refusal) : await answersOf(trigger, atOnce);
  const said = triggers.saidOf(trigger);
  const { error, detail } = trigger.status(triggers.now());
  const explain = explainTrigger(
    {
      title: `Trigger of ${ownerOf(reference)}`,
      parameters: said ? parameterViews(said) : [],
      faults: error === undefined ? [] : [error],
      detail,
      working: trigger.working(triggers.now()),
      answers,
      notes: [],
    },
    { columns },
  );
  return { id, namespace: reference.namespace, name: reference.name, explain };
}
