package house

import (
	"slices"
	"testing"
)

// checkGate complains when a deployment could go on with a chain that is not as its
// parameters say: CloudFormation asks again only when a property changes, and only
// what waits for the answer learns nothing of wrong parameters.
func checkGate(template node) []string {
	gate, functions := template.at("Resources", "StartCheck"), functionsOf(template)
	var out, told, given []string
	if gate.at("Properties", "ServiceToken").text() != "!GetAtt CheckFunction.Arn" {
		out = append(out, "StartCheck does not ask CheckFunction")
	}
	if gate.at("Condition").text() != "ServesDeals" {
		out = append(out, "StartCheck has not the condition ServesDeals")
	}
	for name, value := range functions["check"].environment {
		if name != "LOGGERLEVEL" {
			told = append(told, value)
		}
	}
	for name, value := range gate.at("Properties").fields() {
		if !slices.Contains([]string{"ServiceToken", "ServiceTimeout", "WayOut"}, name) {
			given = append(given, value.text())
		}
	}
	out = append(out, differ("StartCheck: value", "CheckFunction's environment", "its properties", told, given)...)
	for _, name := range []string{"dispatch", "reconcile"} {
		waits := functions[name].properties.at("Tags", "Chain").texts()
		if !slices.Equal(waits, []string{"ServesDeals", "!Ref StartCheck", "none"}) {
			out = append(out, title(name)+"Function does not wait for StartCheck")
		}
	}
	return sorted(out)
}

func TestGate(t *testing.T) { accept(t, checkGate(readTemplate(t))) }
