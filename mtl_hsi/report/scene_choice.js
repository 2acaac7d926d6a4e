// One scene at a time, chosen by the links at the top, by the address (#scene-2), or by a key in a viewer.
const scenes = [...document.querySelectorAll("section.scene")];

function showScene(chosen) {
  for (const section of scenes) section.classList.toggle("other", Boolean(chosen) && section !== chosen);
  for (const link of document.querySelectorAll(".scenes a")) {
    const current = link.getAttribute("href") === (chosen ? `#${chosen.id}` : "#scenes");
    if (current) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

// The scene that contains the target of the address: none for all scenes, and at first the target of the run.
function showAddressed() {
  const target = document.getElementById(location.hash.slice(1));
  if (target?.id === "scenes") return showScene(null);
  const chosen = target ? target.closest("section.scene") : document.querySelector("section.scene.first");
  if (!chosen) return;
  showScene(chosen);
  target?.scrollIntoView();
}

// Selects the scene `by` places after the one of a viewer, and moves the focus to its viewer.
function chooseNextScene(viewer, by) {
  const now = scenes.indexOf(viewer.closest("section.scene"));
  const next = scenes[(now + by + scenes.length) % scenes.length];
  if (next === scenes[now]) return;
  if (document.querySelector("section.other")) {
    showScene(next);
    history.replaceState(null, "", `#${next.id}`);
  }
  next.querySelector("canvas").focus();
}

if (scenes.length > 1) {
  window.addEventListener("hashchange", showAddressed);
  showAddressed();
}
