//go:build linux

package machine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestThisMachine(t *testing.T) {
	if n := CPU(); n < 1 {
		t.Errorf("%d processors", n)
	}
	if n, err := Memory(); err != nil || n < 1<<20 {
		t.Errorf("%d bytes of memory, %v", n, err)
	}
}

func TestMemTotal(t *testing.T) {
	n, err := memTotal([]byte("MemFree: 1 kB\nMemTotal:       24576 kB\n"))
	if n != 24<<20 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := memTotal([]byte("MemFree: 1 kB\n")); err == nil {
		t.Error("no error without a total")
	}
}

func TestGPUIsCountedByDeviceFiles(t *testing.T) {
	dev := t.TempDir()
	if n := GPU(dev); n != 0 {
		t.Errorf("%d in an empty folder", n)
	}
	if err := os.Mkdir(filepath.Join(dev, "dri"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "dri/card0", "dri/renderD128"} {
		if err := os.WriteFile(filepath.Join(dev, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := GPU(dev); n != 2 {
		t.Errorf("%d, want the two nvidia devices", n)
	}
}
