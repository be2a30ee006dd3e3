package good

import "testing"

func TestGood(t *testing.T) { t.Log("said by a test that passed") }

func TestSkipped(t *testing.T) { t.Skip("needs a thing: it is missing") }

func TestSub(t *testing.T) {
	t.Run("one", func(t *testing.T) { t.Skip("needs a thing: it is missing") })
}
