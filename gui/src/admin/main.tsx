import { render } from "preact";
import "../styles/tokens.css";
import "../styles/base.css";
import "../styles/controls.css";
import "../styles/shell.css";
import "../styles/code.css";
import "../styles/markdown.css";
import "../styles/admin.css";
import "../styles/table.css";
import { applyTheme, theme } from "../lib/theme";
import { App } from "./App";

applyTheme(theme.value);
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
