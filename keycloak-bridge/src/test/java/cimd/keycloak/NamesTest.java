// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NamesTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "Claude Code|Claude Code",
        "Bob's Agent|Bob\u2019s Agent",
        "${realm_admin}|$\uff5brealm_admin\uff5d",
        "{0}|\uff5b0\uff5d",
        "<b>x</b>|\u2039b\u203ax\u2039/b\u203a",
        "a\u202eb\u2066c\u200bd\ufefff|abcdf",
        "\ud83d\ude00 ok|\ud83d\ude00 ok",
        "\u6771\u4eac|\u6771\u4eac",
        "x\ud800y|xy",
        "x\ue000y|xy",
        "Acme (beta) [2]|Acme beta 2",
        "a\uff08b\uff09c\uff0cd\u3001e|a b c d e",
        "a\u3164b\u2800c\u115f\u1160\uffa0|a b c",
    })
    void cleaned(String raw, String shown) {
        assertEquals(shown, Names.clean(raw));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "\u202e", "\u200b\u0000\n"})
    void nothingLeft(String raw) {
        assertNull(Names.clean(raw));
    }

    @Test
    void whiteSpaceAndControls() {
        assertEquals("a b", Names.clean("a\u0000\u001f\u0085\n\tb"));
        assertEquals("a b c d", Names.clean("a\u2028b\u2029c\u3000d"));
    }

    /** A name that would end our sentence, and write one of its own. */
    @Test
    void sentence() {
        assertEquals("Claude claude.ai and return to claude.ai on", Names.clean(
            "Claude (claude.ai), and return to claude.ai; on"));
    }

    @Test
    void noName() {
        assertNull(Names.clean(null));
    }

    @Test
    void tooLong() {
        String raw = "\ud83d\ude00".repeat(1000);
        assertEquals("\ud83d\ude00".repeat(Names.MAX_NAME) + "\u2026",
            Names.clean(raw));
        assertEquals("x".repeat(Names.MAX_NAME),
            Names.clean("x".repeat(Names.MAX_NAME)));
    }

    @ParameterizedTest
    @CsvSource({
        "https://claude.ai/oauth/x, claude.ai",
        "https://claude.ai:8443/x, claude.ai",
        "https://a b/, an invalid address",
        "https:///x, an invalid address",
        "x, an invalid address",
    })
    void hosts(String url, String host) {
        assertEquals(host, Names.host(url));
    }
}
