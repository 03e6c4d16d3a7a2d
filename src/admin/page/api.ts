import { byId, setText } from './dom.ts';

const tokenKey = 'token';
let asking: Promise<void> | undefined;

/** What the scaler said where it did not answer 200. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Asks for the token where one is needed, until it is right. Throws Refused, or what `fetch` throws. */
export async function request(path: string, signal?: AbortSignal): Promise<Response> {
  for (;;) {
    const token = sessionStorage.getItem(tokenKey);
    const response = await fetch(path, {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
      cache: 'no-store',
      ...(signal && { signal }),
    });
    if (response.ok) return response;
    if (response.status !== 401) throw new Refused(response.status, await messageOf(response));
    await response.body?.cancel();
    // Another request may have got the right one meanwhile.
    if (sessionStorage.getItem(tokenKey) === token) await askForToken(token !== null);
  }
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const json: T = await (await request(path, signal)).json();
  return json;
}

async function messageOf(response: Response): Promise<string> {
  try {
    const { error }: { error?: unknown } = await response.json();
    return typeof error === 'string' ? error : response.statusText;
  } catch {
    return response.statusText;
  }
}

function askForToken(isWrong: boolean): Promise<void> {
  asking ??= new Promise<void>((resolve) => {
    const dialog = byId('ask', HTMLDialogElement);
    const field = byId('token', HTMLInputElement);
    sessionStorage.removeItem(tokenKey);
    setText(byId('wrong', HTMLParagraphElement), isWrong ? 'That is not the token.' : '');
    if (!dialog.open) dialog.showModal();
    field.focus();
    byId('ask-form', HTMLFormElement).onsubmit = (event) => {
      event.preventDefault();
      const given = field.value.trim();
      // What cannot be in a header cannot be the token.
      if (!/^[\x21-\x7e]+$/.test(given)) {
        setText(byId('wrong', HTMLParagraphElement), 'A token is letters, digits and signs without spaces.');
        return;
      }
      sessionStorage.setItem(tokenKey, given);
      field.value = '';
      dialog.close();
      asking = undefined;
      resolve();
    };
    // Without the token there is nothing to show: it cannot be put aside.
    dialog.oncancel = (event) => event.preventDefault();
  });
  return asking;
}
