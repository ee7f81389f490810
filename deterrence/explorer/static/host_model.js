// A model as the front end knows it from Jupyter widgets (get, set, save_changes, on, off), for hosts that are none.

export default class HostModel {
  #values;
  #listeners = new Map();
  #changed = new Set();

  // `answer(state)` is called when the front end has changed its state and saves it.
  constructor(values, answer) {
    this.#values = { ...values };
    this.answer = answer;
  }

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    const given = typeof name === "string" ? { [name]: value } : name;
    for (const [key, now] of Object.entries(given)) {
      const before = this.#values[key];
      this.#values[key] = now;
      this.#changed.add(key);
      if (now === before) continue;
      for (const callback of [...(this.#listeners.get(`change:${key}`) ?? [])]) callback(this, now);
    }
  }

  on(event, callback) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(callback);
  }

  off(event, callback) {
    if (!event) this.#listeners.clear();
    else if (!callback) this.#listeners.delete(event);
    else this.#listeners.get(event)?.delete(callback);
  }

  save_changes() {
    const asked = this.#changed.delete("state");
    this.#changed.clear();
    if (asked) this.answer(this.#values.state);
  }
}
