// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import java.net.URI;
import java.net.URISyntaxException;

/**
 * What strangers call themselves, made safe to show.
 *
 * <p>Keycloak's pages take a client's name for a template: {@code ${key}} is
 * looked up, braces and apostrophes mean something to MessageFormat. Characters
 * that reorder or hide text would let a name speak for another host. What
 * separates or encloses would let it write the rest of our own sentence, as in
 * "Claude (claude.ai), and return to claude.ai".
 */
final class Names {
    static final int MAX_NAME = 60;

    /** Commas and semicolons of all scripts, and letters without ink. */
    private static final String GAPS = ",;\u037e\u055d\u060c\u061b\u3001"
        + "\ufe10\ufe11\ufe14\ufe45\ufe50\ufe51\ufe54\uff0c\uff1b\uff64"
        + "\u115f\u1160\u2800\u3164\uffa0";

    private Names() {
    }

    /** The host of a URL, in whatever state that is; never empty. */
    static String host(String url) {
        try {
            String host = new URI(url).getHost();
            if (host != null && !host.isEmpty()) {
                return host;
            }
        } catch (URISyntaxException e) {
            // Not a URL that could have been accepted.
        }
        return "an invalid address";
    }

    /** A client's name as text, or null if nothing is left of it. */
    static String clean(String raw) {
        if (raw == null) {
            return null;
        }
        StringBuilder out = new StringBuilder();
        int count = 0;
        for (int i = 0; i < raw.length(); i += Character.charCount(
            raw.codePointAt(i))) {
            int c = plain(raw.codePointAt(i));
            boolean again = c == ' '
                && (out.isEmpty() || out.charAt(out.length() - 1) == ' ');
            if (c < 0 || again) {
                continue;
            }
            if (count++ == MAX_NAME) {
                return out.toString().strip() + "\u2026";
            }
            out.appendCodePoint(c);
        }
        String name = out.toString().strip();
        return name.isEmpty() ? null : name;
    }

    /** The character that is shown in place of this one; -1 for none. */
    private static int plain(int c) {
        return switch (c) {
            case '{' -> '\uff5b';
            case '}' -> '\uff5d';
            case '\'' -> '\u2019';
            case '<' -> '\u2039';
            case '>' -> '\u203a';
            case '&' -> '\uff06';
            case '"' -> '\u201d';
            default -> GAPS.indexOf(c) >= 0 ? ' '
                : switch (Character.getType(c)) {
                case Character.CONTROL, Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SPACE_SEPARATOR, Character.START_PUNCTUATION,
                    Character.END_PUNCTUATION -> ' ';
                case Character.FORMAT, Character.SURROGATE,
                    Character.PRIVATE_USE, Character.UNASSIGNED -> -1;
                default -> c;
            };
        };
    }
}
