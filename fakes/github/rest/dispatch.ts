import { byName, movedTo } from './aliases.ts';
import { type Answer, notFound, refusal } from './answer.ts';
import { type Caller, callerOf } from './caller.ts';
import { secondaryRefusal } from './limits.ts';
import type { Backend, RestRequest, Route } from './request.ts';
import { routeOf } from './router.ts';

/** An answer, its caller and its route. */
export interface Dispatched {
  readonly answer: Answer;
  readonly caller: Caller | undefined;
  readonly template: string | undefined;
}

const noServer =
  'No server is currently available to service your request. Sorry about that. Please try resubmitting your request and contact us if the problem persists.';

/** Finds and runs the route of a path (after the prefix). */
export function dispatch(
  backend: Backend,
  asked: { method: string; url: URL; path: string; authorization: string | undefined },
): Dispatched {
  const { faults, limits } = backend;
  const found = routeOf(asked.method, byName(asked.path, backend.world));
  const template = found?.route.template;
  const broken = down(backend, asked.url);
  if (broken !== undefined) return { answer: broken, caller: undefined, template };
  const caller = callerOf(asked.authorization, backend);
  if ('statusCode' in caller) return { answer: caller, caller: undefined, template };
  const secondary = faults.takeSecondary();
  if (secondary !== undefined)
    return { answer: secondaryRefusal(secondary.retryAfterSeconds), caller, template };
  const moved = movedTo(asked.path, asked.url, backend, caller);
  if (moved !== undefined) return { answer: moved, caller, template };
  if (found === undefined) return { answer: notFound, caller, template };
  const { route, params } = found;
  const limited = route.template === '/rate_limit' ? undefined : limits.refusalOf(caller);
  const request: RestRequest = { ...backend, caller, params, url: asked.url };
  return { answer: limited ?? forbidden(route, caller) ?? route.answer(request), caller, template };
}

function down({ faults }: Backend, url: URL): Answer | undefined {
  if (faults.down !== false) return refusal(faults.down === true ? 503 : faults.down, noServer);
  const statusCode = faults.takeStatus(url.pathname + url.search);
  return statusCode === undefined ? undefined : refusal(statusCode, `This is a ${statusCode}, as asked for.`);
}

function forbidden({ by }: Route, { kind }: Caller): Answer | undefined {
  if (by === 'app') return kind === 'app' ? undefined : refusal(401, 'A JSON web token could not be decoded');
  if (by === 'installation' && kind !== 'installation')
    return refusal(
      403,
      'You must authenticate with an installation access token in order to list repositories for an installation.',
    );
  if (kind === 'app' || (by === 'token' && kind !== 'token'))
    return refusal(403, 'Resource not accessible by integration');
  return undefined;
}
