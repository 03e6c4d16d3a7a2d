import { actionsRoutes } from './actions.ts';
import { appRoutes } from './apps.ts';
import { deliveryRoutes } from './deliveries.ts';
import { repositoryRoutes } from './repositories.ts';
import type { Route } from './request.ts';

export const routes: readonly Route[] = [
  ...actionsRoutes,
  ...repositoryRoutes,
  ...appRoutes,
  ...deliveryRoutes,
];

const patterns = routes.map((route) => ({
  route,
  pattern: new RegExp(`^${route.template.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
}));

export function routeOf(
  method: string,
  path: string,
): { route: Route; params: Record<string, string> } | undefined {
  for (const { route, pattern } of patterns) {
    if (route.method !== method) continue;
    const found = pattern.exec(path);
    if (found === null) continue;
    const params: Record<string, string> = {};
    for (const [name, value] of Object.entries(found.groups ?? {})) params[name] = decodeURIComponent(value);
    return { route, params };
  }
  return undefined;
}
