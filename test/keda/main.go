// Command keda drives an external scaler with KEDA's own client code: the scalers of
// github.com/kedacore/keda/v2/pkg/scalers are built and called the way KEDA's operator does it, and what KEDA
// would hand to the HPA is printed. It takes one JSON request a line on stdin, answers one JSON line each on
// stdout, and ends when stdin does. KEDA's log comes on stdout too, as events: what KEDA cannot return
// (a failed GetMetricSpec) it only logs.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/go-logr/logr/funcr"
	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	ctrl "sigs.k8s.io/controller-runtime"
)

type request struct {
	ID     int      `json:"id"`
	Op     string   `json:"op"`
	Scaler string   `json:"scaler"`
	Config *trigger `json:"config,omitempty"`
	Metric string   `json:"metric,omitempty"`

	Spec kedav1alpha1.ScaledObjectSpec `json:"spec,omitempty"`
}

type answer struct {
	ID    int    `json:"id"`
	Value any    `json:"value,omitempty"`
	Error string `json:"error,omitempty"`
}

// printer writes whole lines; several goroutines share it.
type printer struct {
	mutex   sync.Mutex
	encoder *json.Encoder
}

func (p *printer) print(line any) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if err := p.encoder.Encode(line); err != nil {
		fmt.Fprintln(os.Stderr, "stdout is gone:", err)
		os.Exit(1)
	}
}

func main() {
	out := &printer{encoder: json.NewEncoder(os.Stdout)}
	ctrl.SetLogger(funcr.NewJSON(func(line string) {
		out.print(map[string]any{"event": "log", "log": json.RawMessage(line)})
	}, funcr.Options{}))

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	scalers := newScalers(ctx, out)

	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, "not a request:", err)
			os.Exit(2)
		}
		go func() {
			value, err := scalers.do(ctx, asked)
			if err != nil {
				out.print(answer{ID: asked.ID, Error: err.Error()})
				return
			}
			out.print(answer{ID: asked.ID, Value: value})
		}()
	}
}
