using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Mvc;

namespace MedMerge.Gateway.Access;

/// <summary>Tells a user whose role does not suffice which role they have, and which one is needed.</summary>
internal sealed class AccessDenial(IProblemDetailsService problems) : IAuthorizationMiddlewareResultHandler
{
    private static readonly AuthorizationMiddlewareResultHandler Otherwise = new();

    /// <inheritdoc />
    public async Task HandleAsync(
        RequestDelegate next,
        HttpContext context,
        AuthorizationPolicy policy,
        PolicyAuthorizationResult authorizeResult)
    {
        if (!authorizeResult.Forbidden)
        {
            await Otherwise.HandleAsync(next, context, policy, authorizeResult);
            return;
        }
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        if (IsPage(context) && Users.RoleOf(context.User) is not null)
        {
            await next(context); // the router checks the page's policy again, and says what is missing where users can sign out
            return;
        }
        await problems.TryWriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = new ProblemDetails { Status = StatusCodes.Status403Forbidden, Detail = Describe(context) },
        });
    }

    private static bool IsPage(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<ComponentTypeMetadata>() is not null;

    private static string Describe(HttpContext context)
    {
        var needed = RoleRequirement.Of(context.GetEndpoint()) ?? Roles.Viewer;
        var role = Users.RoleOf(context.User) is { } known ? $"the role {known}" : "no role here";
        return $"{Users.NameOf(context.User)} has {role}; this needs the role {needed}.";
    }
}
