/** Small things kept in this browser. A full or forbidden storage must never break the page. */

const prefix = "rankloop:";

export function keep(key: string, value: unknown): void {
  try {
    if (value === null || value === "") localStorage.removeItem(prefix + key);
    else localStorage.setItem(prefix + key, JSON.stringify(value));
  } catch (error) {
    console.warn("Could not keep", key, error);
  }
}

export function kept<T>(key: string, otherwise: T): T {
  try {
    const text = localStorage.getItem(prefix + key);
    return text === null ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}
