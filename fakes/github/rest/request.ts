import type { AppAuth } from '../app-auth.ts';
import type { Faults } from '../faults.ts';
import type { Hooks } from '../hooks/hooks.ts';
import type { Urls } from '../shapes/urls.ts';
import type { Workflows } from '../workflows.ts';
import type { World } from '../world/world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './caller.ts';
import type { RateLimits } from './limits.ts';

/** Everything that routes use. */
export interface Backend {
  readonly world: World;
  readonly workflows: Workflows;
  readonly hooks: Hooks;
  readonly appAuth: AppAuth | undefined;
  readonly token: string | undefined;
  readonly limits: RateLimits;
  readonly faults: Faults;
  readonly urls: Urls;
}

export interface RestRequest extends Backend {
  readonly caller: Caller;
  /** By the names in the route's template. */
  readonly params: Readonly<Record<string, string>>;
  /** As requested, with the query. */
  readonly url: URL;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  /** As GitHub's API description spells it. */
  readonly template: string;
  /** `app`: needs a JSON Web Token. */
  readonly by: 'app' | 'anybody' | 'installation' | 'token';
  answer(request: RestRequest): Answer;
}
