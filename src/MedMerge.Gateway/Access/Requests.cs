using System.Net.Mime;

namespace MedMerge.Gateway.Access;

/// <summary>Kinds of requests.</summary>
internal static class Requests
{
    /// <summary>Whether a request changes nothing.</summary>
    public static bool IsReading(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);

    /// <summary>Whether a browser asks for a page, to show it.</summary>
    public static bool IsForPage(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && request.Headers.Accept.ToString().Contains(MediaTypeNames.Text.Html, StringComparison.Ordinal);
}
