import { defineConfig } from "vite";
import openapi from "./openapi.json" with { type: "json" };

const server = "http://127.0.0.1:8000";

/** Two pages, hashed assets, nothing inline: what a strict Content-Security-Policy asks for. */
export default defineConfig({
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  define: { LONGEST_QUESTION: openapi.components.schemas.ChatForm.properties.message.maxLength },
  build: {
    outDir: "../server/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    target: "es2022",
    cssTarget: ["chrome123", "firefox121", "safari17.5"],
    modulePreload: { polyfill: false },
    rollupOptions: { input: { index: "index.html", admin: "admin.html" } },
  },
  server: { proxy: { "/api": server, "/healthz": server, "/readyz": server } },
});
