'use strict';
// Words of the page, and questions to the server; what went wrong is thrown in words.

export const read = (id) => JSON.parse(document.getElementById(id).textContent);

export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));

export async function ask(path, method = 'GET', body = undefined, signal = undefined) {
  const options = { method, signal, headers: {} };
  if (body !== undefined) {
    options.headers['content-type'] = 'application/json';
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  if (answer.ok) return answer;
  throw new Error(errorOf(await answer.text()));
}

export function errorOf(text) {
  try {
    return JSON.parse(text).error || text;
  } catch {
    return text; // the guard answers in plain text
  }
}

// What needs a script is shown once there is one.
export function showScripted(root = document) {
  for (const part of root.querySelectorAll('[data-scripted], [data-delete], .tools')) part.hidden = false;
}
