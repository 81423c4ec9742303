package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// absent is AWS::NoValue: it takes the property or list item it stands for away.
type absent struct{}

// fields gives the entries of a mapping unresolved. An empty node has none.
func fields(node *yaml.Node) (map[string]*yaml.Node, error) {
	out := map[string]*yaml.Node{}
	if node == nil || node.Kind == 0 {
		return out, nil
	}
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("line %d: a mapping is wanted here", node.Line)
	}
	for i := 0; i < len(node.Content); i += 2 {
		out[node.Content[i].Value] = node.Content[i+1]
	}
	return out, nil
}

// eval gives the value of a node with all functions resolved: string, []any,
// map[string]any, bool (of a condition only) or absent. Scalars stay the text they
// are written as, which is what CloudFormation passes on.
func (t *Template) eval(node *yaml.Node) (any, error) {
	if node.Kind == yaml.AliasNode {
		return t.eval(node.Alias)
	}
	if name, ok := strings.CutPrefix(node.Tag, "!"); ok && !strings.HasPrefix(name, "!") {
		plain := *node
		plain.Tag = ""
		if name == "GetAtt" && node.Kind == yaml.ScalarNode {
			id, attribute, _ := strings.Cut(node.Value, ".")
			return t.reference(id, attribute)
		}
		return t.located(node, name, &plain)
	}
	switch node.Kind {
	case yaml.ScalarNode:
		if node.Tag == "!!null" {
			return absent{}, nil
		}
		return node.Value, nil
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range node.Content {
			value, err := t.eval(item)
			if err != nil {
				return nil, err
			}
			if !isAbsent(value) {
				list = append(list, value)
			}
		}
		return list, nil
	case yaml.MappingNode:
		return t.evalMapping(node)
	}
	return nil, fmt.Errorf("line %d: cannot be read", node.Line)
}

func isAbsent(value any) bool {
	_, ok := value.(absent)
	return ok
}

func (t *Template) evalMapping(node *yaml.Node) (any, error) {
	if len(node.Content) == 2 {
		key := node.Content[0].Value
		if name, ok := strings.CutPrefix(key, "Fn::"); ok || key == "Ref" || key == "Condition" && node.Content[1].Kind == yaml.ScalarNode {
			if !ok {
				name = key
			}
			return t.located(node, name, node.Content[1])
		}
	}
	out := map[string]any{}
	for i := 0; i < len(node.Content); i += 2 {
		value, err := t.eval(node.Content[i+1])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", node.Content[i].Value, err)
		}
		if !isAbsent(value) {
			out[node.Content[i].Value] = value
		}
	}
	return out, nil
}

func (t *Template) located(node *yaml.Node, name string, argument *yaml.Node) (any, error) {
	value, err := t.call(name, argument)
	if err != nil {
		return nil, fmt.Errorf("line %d: %s: %w", node.Line, name, err)
	}
	return value, nil
}

// call is one intrinsic function.
func (t *Template) call(name string, argument *yaml.Node) (any, error) {
	// If and the boolean functions must not resolve what they do not choose.
	switch name {
	case "If":
		if argument.Kind != yaml.SequenceNode || len(argument.Content) != 3 {
			return nil, fmt.Errorf("needs a condition and two values")
		}
		holds, err := t.condition(argument.Content[0].Value)
		if err != nil {
			return nil, err
		}
		if holds {
			return t.eval(argument.Content[1])
		}
		return t.eval(argument.Content[2])
	case "Condition":
		return t.condition(argument.Value)
	case "Sub":
		return t.sub(argument)
	}
	value, err := t.eval(argument)
	if err != nil {
		return nil, err
	}
	if name == "Ref" {
		id, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("needs a name")
		}
		return t.ref(id)
	}
	list, ok := value.([]any)
	if !ok {
		return nil, fmt.Errorf("needs a list")
	}
	return t.callList(name, list)
}

func (t *Template) callList(name string, list []any) (any, error) {
	switch name {
	case "GetAtt":
		parts, err := texts(list)
		if err != nil || len(parts) < 2 {
			return nil, fmt.Errorf("needs a logical id and an attribute")
		}
		return t.reference(parts[0], strings.Join(parts[1:], "."))
	case "Equals":
		if len(list) != 2 {
			return nil, fmt.Errorf("needs two values")
		}
		return fmt.Sprint(list[0]) == fmt.Sprint(list[1]), nil
	case "Not", "And", "Or":
		return logic(name, list)
	case "Join":
		if len(list) != 2 {
			return nil, fmt.Errorf("needs a separator and a list")
		}
		items, ok := list[1].([]any)
		if !ok {
			return nil, fmt.Errorf("needs a separator and a list")
		}
		parts, err := texts(items)
		if err != nil {
			return nil, err
		}
		return strings.Join(parts, fmt.Sprint(list[0])), nil
	case "Split":
		parts, err := texts(list)
		if err != nil || len(parts) != 2 {
			return nil, fmt.Errorf("needs a separator and a text")
		}
		out := []any{}
		for part := range strings.SplitSeq(parts[1], parts[0]) {
			out = append(out, part)
		}
		return out, nil
	case "Select":
		if len(list) != 2 {
			return nil, fmt.Errorf("needs an index and a list")
		}
		items, ok := list[1].([]any)
		index, err := strconv.Atoi(fmt.Sprint(list[0]))
		if err != nil || !ok || index < 0 || index >= len(items) {
			return nil, fmt.Errorf("there is no item %v", list[0])
		}
		return items[index], nil
	case "FindInMap":
		parts, err := texts(list)
		if err != nil || len(parts) != 3 {
			return nil, fmt.Errorf("needs a map and two keys")
		}
		return t.findInMap(parts[0], parts[1], parts[2])
	}
	return nil, fmt.Errorf("this function is not known here")
}

func logic(name string, list []any) (any, error) {
	var terms []bool
	for _, item := range list {
		b, ok := item.(bool)
		if !ok {
			return nil, fmt.Errorf("needs conditions")
		}
		terms = append(terms, b)
	}
	switch {
	case name == "And":
		return !slices.Contains(terms, false), nil
	case name == "Or":
		return slices.Contains(terms, true), nil
	case len(terms) == 1:
		return !terms[0], nil
	}
	return nil, fmt.Errorf("needs one condition")
}

func (t *Template) ref(name string) (any, error) {
	if value, ok := t.parameters[name]; ok {
		return value, nil
	}
	return t.reference(name, "")
}

func (t *Template) condition(name string) (bool, error) {
	node, ok := t.conditions[name]
	if !ok {
		return false, fmt.Errorf("there is no condition %s", name)
	}
	if slices.Contains(t.deciding, name) {
		return false, fmt.Errorf("condition %s depends on itself", name)
	}
	t.deciding = append(t.deciding, name)
	defer func() { t.deciding = t.deciding[:len(t.deciding)-1] }()
	value, err := t.eval(node)
	if err != nil {
		return false, fmt.Errorf("condition %s: %w", name, err)
	}
	holds, ok := value.(bool)
	if !ok {
		return false, fmt.Errorf("condition %s is not true or false", name)
	}
	return holds, nil
}

// sub replaces ${Name}, ${Id.Attribute} and the names given beside the text;
// ${!Literal} loses its mark only.
func (t *Template) sub(argument *yaml.Node) (any, error) {
	text, own := argument.Value, map[string]any{}
	if argument.Kind == yaml.SequenceNode {
		if len(argument.Content) != 2 {
			return nil, fmt.Errorf("needs a text and a mapping")
		}
		text = argument.Content[0].Value
		value, err := t.eval(argument.Content[1])
		if err != nil {
			return nil, err
		}
		if own, _ = value.(map[string]any); own == nil {
			return nil, fmt.Errorf("needs a text and a mapping")
		}
	}
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		name, rest, closed := strings.Cut(after, "}")
		if !closed {
			return nil, fmt.Errorf("a ${ is not closed")
		}
		text = rest
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			out.WriteString("${" + literal + "}")
			continue
		}
		value, ok := own[name]
		if !ok {
			var err error
			if id, attribute, dotted := strings.Cut(name, "."); dotted {
				value, err = t.reference(id, attribute)
			} else {
				value, err = t.ref(name)
			}
			if err != nil {
				return nil, err
			}
		}
		s, ok := value.(string)
		if !ok {
			return nil, fmt.Errorf("${%s} is not a text", name)
		}
		out.WriteString(s)
	}
}

func (t *Template) findInMap(name, first, second string) (any, error) {
	at, ok := t.mappings[name]
	for _, key := range []string{first, second} {
		if !ok {
			break
		}
		entries, err := fields(at)
		if err != nil {
			return nil, err
		}
		at, ok = entries[key]
	}
	if !ok {
		return nil, fmt.Errorf("there is no %s.%s.%s", name, first, second)
	}
	return t.eval(at)
}

func texts(list []any) ([]string, error) {
	var out []string
	for _, item := range list {
		s, ok := item.(string)
		if !ok {
			return nil, fmt.Errorf("%v is not a text", item)
		}
		out = append(out, s)
	}
	return out, nil
}
