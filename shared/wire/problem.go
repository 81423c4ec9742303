package wire

// Problem is every error answer (RFC 9457, application/problem+json).
type Problem struct {
	Type      string `json:"type"` // "about:blank"
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      string `json:"code"` // a pool.Kind, or "internal"
	Detail    string `json:"detail"`
	Field     string `json:"field,omitempty"` // path of the offending property
	RequestID string `json:"request_id"`
}
