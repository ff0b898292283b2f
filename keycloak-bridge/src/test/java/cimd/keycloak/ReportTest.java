// SPDX-License-Identifier: Apache-2.0
package cimd.keycloak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ReportTest {
    @Test
    void oneLineOfAscii() {
        assertEquals("a\\u{a}b\\u{e9}\\u{1f600}~",
            Report.printable("a\nb\u00e9\ud83d\ude00~"));
        assertEquals(1024, Report.printable("x".repeat(5000)).length());
    }

    @Test
    void noLongerThanAColumn() {
        assertEquals("x".repeat(255), Report.cut("x".repeat(256), 255));
        assertEquals("x".repeat(255), Report.cut("x".repeat(255), 255));
        assertEquals("", Report.cut("", 255));
    }
}
