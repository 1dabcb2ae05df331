export declare const ONE: string;
export declare const SIBLINGS: string;
