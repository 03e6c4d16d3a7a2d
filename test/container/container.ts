import { fileURLToPath } from 'node:url';
import { environmentOf } from './image-config.ts';
import type { Launch } from './running-image.ts';
import type { Image } from './use-image.ts';

const enter = fileURLToPath(new URL('enter.sh', import.meta.url));

/** A command in a container of the image, as its user, with its environment only. */
export function inContainer(image: Image, command: readonly string[]): Launch {
  const { config, root, configuration, volume } = image;
  const place = [root, config.WorkingDir, config.User, configuration, volume];
  return {
    command: ['unshare', '--mount', 'sh', enter, ...place, ...command],
    cwd: '/',
    env: environmentOf(config),
  };
}
