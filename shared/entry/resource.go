package entry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-lambda-go/lambda"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
)

// mostReason is how many bytes of a reason are told: CloudFormation takes 4,096 in
// a whole answer.
const mostReason = 2500

// Gate serves a custom resource of CloudFormation that makes nothing: look says
// whether a deployment may go on, and its error why not, without secrets. An error
// of kind pool.Unavailable, by which nobody knows, stops a creation but no update,
// which may be the rollback of another: it is logged. A deletion is never in the
// way, and asks nothing. Called by hand, with {}, it answers what look says. It does
// not return.
func Gate(look func(ctx context.Context) error) { lambda.Start(gate(look)) }

// looked is the answer to a call by hand; CloudFormation reads none.
type looked struct {
	Fault string `json:"fault"`
}

func gate(look func(ctx context.Context) error) invocation[looked] {
	return guarded(func(ctx context.Context, event json.RawMessage) (out looked, err error) {
		var asked cfn.Event
		if err := json.Unmarshal(event, &asked); err != nil {
			return out, &pool.Error{Kind: pool.Invalid, Message: "the event is not understood", Cause: err}
		}
		var found error
		if asked.RequestType != cfn.RequestDelete {
			found = guard(ctx, func() error { return look(ctx) })
		}
		if asked.ResponseURL == "" {
			if found != nil {
				out.Fault = found.Error()
			}
			return out, nil
		}
		return out, answer(ctx, asked, found)
	})
}

// answer tells CloudFormation. Lambda calls again when that fails.
func answer(ctx context.Context, asked cfn.Event, found error) error {
	response := cfn.NewResponse(&asked)
	response.Status = cfn.StatusSuccess
	if response.PhysicalResourceID = asked.PhysicalResourceID; response.PhysicalResourceID == "" {
		response.PhysicalResourceID = asked.LogicalResourceID // stays: another would be a new resource
	}
	switch {
	case found == nil:
	case asked.RequestType == cfn.RequestUpdate && pool.KindOf(found) == pool.Unavailable:
		slog.WarnContext(ctx, "not checked, the deployment goes on", telemetry.KeyError, found)
	default:
		slog.ErrorContext(ctx, "the deployment is stopped", telemetry.KeyError, found)
		response.Status, response.Reason = cfn.StatusFailed, short(found.Error())
	}
	if err := response.Send(); err != nil {
		if at := (*url.Error)(nil); errors.As(err, &at) {
			err = at.Err // the URL is signed: whoever has it may answer
		}
		return fmt.Errorf("answering CloudFormation: %w", err)
	}
	return nil
}

// short cuts a text so that it takes at most mostReason bytes as JSON.
func short(text string) string {
	for cut := len(text); ; cut = cut * 9 / 10 {
		out := strings.ToValidUTF8(text[:cut], "")
		if cut < len(text) {
			out += " ..."
		}
		if written, err := json.Marshal(out); err == nil && len(written) <= mostReason {
			return out
		}
	}
}
