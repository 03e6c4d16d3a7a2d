const wordBits = 32;

/**
 * Whether the whole of a text matches a pattern in which `*` is any run of characters and `?` is any one. The time is
 * linear in the text, whatever the pattern: one step for each character and each 32 characters of the pattern.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  return glob(pattern)(text);
}

/**
 * A pattern for many texts. It is an automaton whose state i says "i letters of the pattern are matched". Each state is a
 * bit, so all states step at once (Baeza-Yates and Gonnet's shift-and, with a loop at each star).
 */
export function glob(pattern: string): (text: string) => boolean {
  const letters = pattern.replaceAll('*', '');
  const words = Math.ceil((letters.length + 1) / wordBits);
  const loops = new Int32Array(words);
  const anyOne = new Int32Array(words);
  const byLetter = new Map<number, Int32Array>();
  let state = 0;
  for (let i = 0; i < pattern.length; i += 1) {
    const letter = pattern[i];
    if (letter === '*') {
      setBit(loops, state);
      continue;
    }
    if (letter === '?') setBit(anyOne, state);
    else setBit(maskOf(byLetter, pattern.charCodeAt(i), words), state);
    state += 1;
  }
  for (const mask of byLetter.values()) {
    for (let word = 0; word < words; word += 1) mask[word] = at(mask, word) | at(anyOne, word);
  }

  const head = /^[^*?]*/.exec(pattern)?.[0] ?? '';
  const states = new Int32Array(words);
  return (text) => {
    if (!text.startsWith(head)) return false;
    states.fill(0);
    states[0] = 1;
    for (let i = 0; i < text.length; i += 1) {
      if (!step(states, byLetter.get(text.charCodeAt(i)) ?? anyOne, loops)) return false;
    }
    return (at(states, letters.length >>> 5) & (1 << (letters.length & 31))) !== 0;
  };
}

/** All states take one character. False if no state is left. */
function step(states: Int32Array, matching: Int32Array, loops: Int32Array): boolean {
  let carry = 0;
  let left = 0;
  for (let word = 0; word < states.length; word += 1) {
    const before = at(states, word);
    const matched = before & at(matching, word);
    const after = (matched << 1) | carry | (before & at(loops, word));
    carry = matched >>> (wordBits - 1);
    states[word] = after;
    left |= after;
  }
  return left !== 0;
}

function maskOf(byLetter: Map<number, Int32Array>, letter: number, words: number): Int32Array {
  let mask = byLetter.get(letter);
  if (mask === undefined) {
    mask = new Int32Array(words);
    byLetter.set(letter, mask);
  }
  return mask;
}

function setBit(mask: Int32Array, bit: number): void {
  mask[bit >>> 5] = at(mask, bit >>> 5) | (1 << (bit & 31));
}

function at(mask: Int32Array, word: number): number {
  return mask[word] ?? 0;
}
