using k8s.Models;

namespace MedMerge.Infra.Tests;

/// <summary>Which pods a selector means.</summary>
internal static class Selectors
{
    /// <summary>Whether labels match; nothing asked for means everything.</summary>
    public static bool Match(V1LabelSelector selector, IDictionary<string, string> labels) =>
        (selector.MatchLabels ?? new Dictionary<string, string>())
            .All(wanted => labels.TryGetValue(wanted.Key, out var value) && value == wanted.Value)
        && (selector.MatchExpressions ?? []).All(wanted => wanted.OperatorProperty == "In"
            ? labels.TryGetValue(wanted.Key, out var value) && wanted.Values.Contains(value)
            : throw new NotSupportedException(wanted.OperatorProperty));
}
