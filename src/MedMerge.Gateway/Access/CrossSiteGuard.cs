using Microsoft.AspNetCore.Mvc;

namespace MedMerge.Gateway.Access;

/// <summary>
/// Refuses changes that a page of another site makes a browser request: the browser would attach the user's session. Browsers name the
/// page's site with every such request; programs that are none send nothing, and hold no session that another could use.
/// </summary>
internal static class CrossSiteGuard
{
    private const string FetchSite = "Sec-Fetch-Site";

    /// <summary>Answers with 403 where the request changes something and comes from another site.</summary>
    public static Task RefuseChangesAsync(HttpContext context, RequestDelegate next)
    {
        // Over a page's connection, which a GET opens, its user changes things.
        var opensConnection = context.Request.Headers.Upgrade.Count > 0;
        if ((Requests.IsReading(context.Request) && !opensConnection) || IsOfSameOrigin(context.Request)) return next(context);
        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        var problems = context.RequestServices.GetRequiredService<IProblemDetailsService>();
        return problems.TryWriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = new ProblemDetails
            {
                Status = StatusCodes.Status403Forbidden,
                Detail = "The request was sent by a page of another site.",
            },
        }).AsTask();
    }

    /// <summary>Whether the header <c>Origin</c>, where there is one, names the gateway's own host.</summary>
    public static bool HasOwnOrigin(HttpRequest request)
    {
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0) return true;
        return Uri.TryCreate(origin, UriKind.Absolute, out var site) && site.Authority == request.Host.Value;
    }

    private static bool IsOfSameOrigin(HttpRequest request)
    {
        var site = request.Headers[FetchSite].ToString();
        return site.Length == 0 ? HasOwnOrigin(request) : site is "same-origin" or "none";
    }
}
