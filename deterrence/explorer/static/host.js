// The explorer's page on a server of this machine: the front end, with Python at the other end of fetch.

import explorer from "./explorer.js";
import HostModel from "./host_model.js";

// Return a function that asks one question at a time. Meanwhile only the newest state waits: states in between are
// never asked, and an answer to an older state than the one last shown is dropped.
function asker(show) {
  let waiting = null;
  let asking = false;
  let shown = -1;
  return async (state) => {
    waiting = state;
    if (asking) return;
    asking = true;
    while (waiting) {
      const asked = waiting;
      waiting = null;
      try {
        const view = await ask("answer", asked);
        if ((view.serial ?? 0) < shown) continue;
        shown = view.serial ?? 0;
        say("");
        show(view);
      } catch (error) {
        say(error.message);
        show({ serial: asked.serial, error: error.message });
      }
    }
    asking = false;
  };
}

async function ask(place, state) {
  const options = state && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(state),
  };
  let reply;
  try {
    reply = await fetch(place, options);
  } catch {
    throw new Error("The explorer's server has ended. Start it again, and open the address that it prints.");
  }
  const answer = await reply.json();
  if (!reply.ok) throw new Error(answer.error);
  return answer;
}

function say(message) {
  const place = document.getElementById("host-message");
  place.textContent = message;
  place.hidden = !message;
}

try {
  const { spec, state } = await ask("start.json");
  const answer = asker((view) => model.set("view", view));
  const model = new HostModel({ spec, state, view: await ask("answer", state) }, answer);
  await explorer.render({ model, el: document.getElementById("explorer") });
} catch (error) {
  say(error.message);
}
