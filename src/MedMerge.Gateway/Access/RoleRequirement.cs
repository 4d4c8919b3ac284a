using Microsoft.AspNetCore.Authorization;

namespace MedMerge.Gateway.Access;

/// <summary>Which role an endpoint asks for.</summary>
internal static class RoleRequirement
{
    /// <summary>The least role that may use an endpoint; null where anybody may.</summary>
    public static string? Of(Endpoint? endpoint)
    {
        if (endpoint?.Metadata.GetMetadata<IAllowAnonymous>() is not null) return null;
        var policies = (endpoint?.Metadata.GetOrderedMetadata<IAuthorizeData>() ?? []).Select(asked => asked.Policy).ToHashSet();
        return Roles.All.LastOrDefault(policies.Contains) ?? Roles.Viewer;
    }
}
