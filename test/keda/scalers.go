package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	v2 "k8s.io/api/autoscaling/v2"

	kedav1alpha1 "github.com/kedacore/keda/v2/apis/keda/v1alpha1"
	kedascalers "github.com/kedacore/keda/v2/pkg/scalers"
	"github.com/kedacore/keda/v2/pkg/scalers/scalersconfig"
)

// trigger is what KEDA knows of a trigger when it builds its scaler (pkg/scaling/scalers_builder.go).
type trigger struct {
	Type        string            `json:"type"`
	Kind        string            `json:"kind"`
	Namespace   string            `json:"namespace"`
	Name        string            `json:"name"`
	Index       int               `json:"index"`
	MetricType  string            `json:"metricType"`
	Metadata    map[string]string `json:"metadata"`
	ResolvedEnv map[string]string `json:"resolvedEnv"`
	AuthParams  map[string]string `json:"authParams"`
}

// target is a metric spec as it goes into the HPA.
type target struct {
	Name       string  `json:"name"`
	MetricType string  `json:"metricType"`
	Target     float64 `json:"target"`
}

// value is a metric value as the HPA gets it: KEDA makes it a Kubernetes quantity with three decimals.
type value struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// scalers are the open ones, by the name the test gave them.
type scalers struct {
	ctx   context.Context
	out   *printer
	mutex sync.Mutex
	open  map[string]kedascalers.Scaler
}

func newScalers(ctx context.Context, out *printer) *scalers {
	return &scalers{ctx: ctx, out: out, open: map[string]kedascalers.Scaler{}}
}

func (s *scalers) do(ctx context.Context, asked request) (any, error) {
	if asked.Op == "open" {
		return nil, s.build(asked.Scaler, asked.Config)
	}
	if asked.Op == "polls" {
		// The scale loop only asks scalers where the HPA's own looks are not enough (getScaledObjectState).
		object := &kedav1alpha1.ScaledObject{Spec: asked.Spec}
		return !object.UsesHPAObservations(), nil
	}
	scaler, err := s.find(asked.Scaler)
	if err != nil {
		return nil, err
	}
	switch asked.Op {
	case "spec":
		return targets(scaler.GetMetricSpecForScaling(ctx)), nil
	case "metrics":
		values, active, err := scaler.GetMetricsAndActivity(ctx, asked.Metric)
		if err != nil {
			return nil, err
		}
		found := make([]value, 0, len(values))
		for _, one := range values {
			found = append(found, value{Name: one.MetricName, Value: one.Value.AsFloat64Slow()})
		}
		return map[string]any{"values": found, "active": active}, nil
	case "run":
		return nil, s.run(asked.Scaler, scaler)
	case "close":
		s.mutex.Lock()
		delete(s.open, asked.Scaler)
		s.mutex.Unlock()
		return nil, scaler.Close(ctx)
	}
	return nil, fmt.Errorf("no such op: %q", asked.Op)
}

func (s *scalers) build(name string, config *trigger) error {
	if config == nil {
		return fmt.Errorf("open needs a config")
	}
	built := &scalersconfig.ScalerConfig{
		ScalableObjectName:      config.Name,
		ScalableObjectNamespace: config.Namespace,
		ScalableObjectType:      config.Kind,
		GlobalHTTPTimeout:       3 * time.Second,
		TriggerType:             config.Type,
		TriggerMetadata:         config.Metadata,
		ResolvedEnv:             config.ResolvedEnv,
		AuthParams:              config.AuthParams,
		TriggerIndex:            config.Index,
		MetricType:              v2.MetricTargetType(config.MetricType),
	}
	scaler, err := newScaler(s.ctx, built)
	if err != nil {
		return err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.open[name] = scaler
	return nil
}

func newScaler(ctx context.Context, config *scalersconfig.ScalerConfig) (kedascalers.Scaler, error) {
	switch config.TriggerType {
	case "external":
		return kedascalers.NewExternalScaler(config)
	case "external-push":
		return kedascalers.NewExternalPushScaler(config)
	// What the pages say of KEDA's own scalers is held against them.
	case "kafka":
		return kedascalers.NewKafkaScaler(ctx, config)
	case "apache-kafka":
		return kedascalers.NewApacheKafkaScaler(ctx, config)
	case "nats-jetstream":
		return kedascalers.NewNATSJetStreamScaler(config)
	}
	return nil, fmt.Errorf("a trigger type that no test has: %q", config.TriggerType)
}

func (s *scalers) find(name string) (kedascalers.Scaler, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	scaler, ok := s.open[name]
	if !ok {
		return nil, fmt.Errorf("no open scaler %q", name)
	}
	return scaler, nil
}

// run starts the push streams as startPushScalers does (pkg/scaling/scale_handler.go) and prints what they
// bring. They live as long as the process, whatever becomes of the scaler: KEDA's outlive its scaler cache.
func (s *scalers) run(name string, scaler kedascalers.Scaler) error {
	push, ok := scaler.(kedascalers.PushScaler)
	if !ok {
		return fmt.Errorf("%q is not an external-push trigger", name)
	}
	active := make(chan bool)
	go push.Run(s.ctx, active)
	go func() {
		for state := range active {
			s.out.print(map[string]any{"event": "active", "scaler": name, "active": state, "atMs": time.Now().UnixMilli()})
		}
	}()
	if streamer, ok := push.(kedascalers.MetricSpecStreamer); ok {
		go func() {
			for specs := range streamer.MetricSpecChan() {
				s.out.print(map[string]any{"event": "spec", "scaler": name, "specs": targets(specs), "atMs": time.Now().UnixMilli()})
			}
		}()
	}
	return nil
}

func targets(specs []v2.MetricSpec) []target {
	found := make([]target, 0, len(specs))
	for _, spec := range specs {
		quantity := spec.External.Target.AverageValue
		if spec.External.Target.Type == v2.ValueMetricType {
			quantity = spec.External.Target.Value
		}
		found = append(found, target{
			Name:       spec.External.Metric.Name,
			MetricType: string(spec.External.Target.Type),
			Target:     quantity.AsFloat64Slow(),
		})
	}
	return found
}
